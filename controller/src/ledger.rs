//! One verdict for each target, and counts that add up.

use bellwether_ingress::{ConfigName, Digest, Revision};
use bellwether_proto::{
    AgentName, RolloutId,
    http::{Failure, RolloutState, RolloutView, Verdict},
};
use bellwether_rpc::{CallError, FaultKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The most bytes of an agent's own words that are kept.
const LONGEST_REASON: usize = 2_000;

/// What is rolled out.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) rollout: RolloutId,
    pub(crate) config: ConfigName,
    pub(crate) revision: Revision,
    /// The document's digest; none for a delete.
    pub(crate) digest: Option<Digest>,
}

/// The ledger of one rollout. Every target is in it from the start, so that none can vanish from the result.
#[derive(Debug)]
pub(crate) struct Ledger {
    subject: Subject,
    targets: usize,
    waiting: BTreeSet<AgentName>,
    counts: BTreeMap<Verdict, usize>,
    failures: BTreeMap<AgentName, Failure>,
    absent: Vec<AgentName>,
}

impl Ledger {
    pub(crate) fn new(
        subject: Subject,
        targets: impl IntoIterator<Item = AgentName>,
        absent: Vec<AgentName>,
    ) -> Self {
        let waiting: BTreeSet<_> = targets.into_iter().collect();
        let counts = Verdict::ALL.map(|verdict| (verdict, 0)).into();
        Self { subject, targets: waiting.len(), waiting, counts, failures: BTreeMap::new(), absent }
    }

    /// Takes down a verdict, and says whether it counts: only the first for a target does, and what is no target has
    /// none.
    pub(crate) fn record(&mut self, agent: AgentName, verdict: Verdict, reason: String) -> bool {
        if !self.waiting.remove(&agent) {
            return false;
        }
        *self.counts.entry(verdict).or_default() += 1;
        if verdict != Verdict::Applied {
            self.failures.insert(agent.clone(), Failure { agent, verdict, reason: shortened(reason) });
        }
        true
    }

    /// Who has no verdict yet.
    pub(crate) fn waiting(&self) -> Vec<AgentName> {
        self.waiting.iter().cloned().collect()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How it stands after `elapsed`.
    pub(crate) fn view(&self, elapsed: Duration) -> RolloutView {
        RolloutView {
            rollout: self.subject.rollout,
            config: self.subject.config.clone(),
            revision: self.subject.revision,
            digest: self.subject.digest,
            state: if self.is_done() { RolloutState::Done } else { RolloutState::Running },
            targets: self.targets,
            verdicts: self.counts.clone(),
            failures: Some(self.failures.values().cloned().collect()),
            absent: self.absent.clone(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// The verdict for the outcome of a call.
pub(crate) fn verdict(outcome: Result<(), CallError>) -> (Verdict, String) {
    let error = match outcome {
        Ok(()) => return (Verdict::Applied, String::new()),
        Err(error) => error,
    };
    let verdict = match &error {
        CallError::Fault(fault) => match fault.kind {
            FaultKind::Rejected => Verdict::Rejected,
            FaultKind::Superseded => Verdict::Superseded,
            // It came to the end of the same deadline, and said so before we did.
            FaultKind::DeadlineExceeded => Verdict::TimedOut,
            _ => Verdict::Failed,
        },
        CallError::Unroutable { .. } => Verdict::Unroutable,
        CallError::DeadlineExceeded { .. } => Verdict::TimedOut,
        CallError::Disconnected => Verdict::Lost,
        CallError::Overloaded { .. } | CallError::Invalid { .. } => Verdict::Failed,
    };
    (verdict, reason(error))
}

/// A refusal in the agent's own words; anything else as the outcome reads.
fn reason(error: CallError) -> String {
    match error {
        CallError::Fault(fault) if matches!(fault.kind, FaultKind::Rejected | FaultKind::Superseded) => {
            fault.message
        }
        other => other.to_string(),
    }
}

fn shortened(mut reason: String) -> String {
    if reason.len() > LONGEST_REASON {
        let end = (0..=LONGEST_REASON).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or_default();
        reason.truncate(end);
        reason.push('…');
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_rpc::Fault;
    use proptest::prelude::*;

    fn agent(n: usize) -> AgentName {
        format!("node-{n}").parse().unwrap()
    }

    fn ledger(targets: usize) -> Ledger {
        let subject = Subject {
            rollout: RolloutId::new(),
            config: "shop".parse().unwrap(),
            revision: Revision::from(42),
            digest: None,
        };
        Ledger::new(subject, (0..targets).map(agent), vec![])
    }

    #[test]
    fn every_outcome_has_its_verdict() {
        let fault = |kind| Err(CallError::Fault(Fault::new(kind, "its words")));
        let table = [
            (Ok(()), Verdict::Applied),
            (fault(FaultKind::Rejected), Verdict::Rejected),
            (fault(FaultKind::Superseded), Verdict::Superseded),
            (fault(FaultKind::DeadlineExceeded), Verdict::TimedOut),
            (fault(FaultKind::Internal), Verdict::Failed),
            (fault(FaultKind::Unavailable), Verdict::Failed),
            (Err(CallError::Unroutable { address: "agent/a".into(), sent: false }), Verdict::Unroutable),
            (Err(CallError::DeadlineExceeded { sent: true }), Verdict::TimedOut),
            (Err(CallError::Disconnected), Verdict::Lost),
            (Err(CallError::Overloaded { reason: "full".into() }), Verdict::Failed),
        ];
        for (outcome, expected) in table {
            let (verdict, reason) = verdict(outcome.clone());
            assert_eq!(verdict, expected, "{outcome:?}");
            assert_eq!(reason.is_empty(), verdict == Verdict::Applied, "{outcome:?}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let mut ledger = ledger(1);
        ledger.record(agent(0), Verdict::Rejected, "ä".repeat(LONGEST_REASON));
        let reason = &ledger.view(Duration::ZERO).failures.unwrap()[0].reason;
        assert!(reason.len() <= LONGEST_REASON + '…'.len_utf8() && reason.ends_with('…'));
    }

    proptest! {
        /// Whatever is reported, in whatever order, twice, or by strangers.
        #[test]
        fn the_counts_add_up(reports in prop::collection::vec((0usize..12, 0usize..8), 0..64)) {
            let mut ledger = ledger(10);
            for (who, what) in &reports {
                ledger.record(agent(*who), Verdict::ALL[*what], "why".into());
            }
            let view = ledger.view(Duration::ZERO);
            let judged: BTreeSet<_> = reports.iter().map(|(who, _)| who).filter(|who| **who < 10).collect();
            let failures = view.failures.as_ref().map_or(0, Vec::len);
            prop_assert_eq!(view.verdicts.values().sum::<usize>(), judged.len());
            prop_assert_eq!(failures + view.count(Verdict::Applied), judged.len());
            prop_assert_eq!(view.state == RolloutState::Done, judged.len() == view.targets);
        }
    }
}
