//! Made-up values for tests.

use bellwether_ingress::{Digest, Revision};
use bellwether_proto::{
    AgentName, RolloutId,
    http::{AgentState, AgentView, Failure, RolloutState, RolloutView, Verdict},
};
use bellwether_rpc::Instance;

/// A rollout of `shop@42` that is done: targets with these verdicts, node-1, node-2, … for those that failed.
pub(crate) fn rollout(verdicts: &[(Verdict, usize)], absent: &[&str]) -> RolloutView {
    let failed = verdicts.iter().filter(|(verdict, _)| *verdict != Verdict::Applied);
    let failed = failed.flat_map(|(verdict, count)| std::iter::repeat_n(*verdict, *count));
    let failures = failed.enumerate().map(|(index, verdict)| Failure {
        agent: agent(&format!("node-{}", index + 1)),
        verdict,
        reason: format!("because it {verdict}"),
    });
    RolloutView {
        rollout: RolloutId::new(),
        config: "shop".parse().unwrap(),
        revision: Revision::from(42),
        digest: Some(Digest::empty_set()),
        state: RolloutState::Done,
        targets: verdicts.iter().map(|(_, count)| count).sum(),
        verdicts: verdicts.iter().copied().collect(),
        failures: Some(failures.collect()),
        absent: absent.iter().map(|name| agent(name)).collect(),
        elapsed_ms: 1_234,
    }
}

/// An agent that serves what it should.
pub(crate) fn agent_view(name: &str, state: AgentState) -> AgentView {
    AgentView {
        name: agent(name),
        state,
        conflict: false,
        instance: Instance::new(),
        version: "0.1.0".into(),
        labels: [("zone".parse().unwrap(), "eu".parse().unwrap())].into_iter().collect(),
        last_seen_age_ms: 400,
        revision: Revision::from(42),
        digest: Digest::empty_set(),
        converged: true,
        last_error: None,
    }
}

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}
