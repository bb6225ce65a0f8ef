//! Merges requests that came together into one newest state, and tells which of them overtook which.

use super::NotApplied;
use crate::{
    refusals::Refusals,
    set::{Change, ConfigSet, Judgement, Relation, WholeRefusal, WholeSet},
};
use bellwether_proto::{Known, StoreHead};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// What becomes of one request.
type Outcome = Result<Known, NotApplied>;

/// Requests that are applied together; a `T` stands for whoever waits for one.
pub(super) struct Batch<T> {
    target: ConfigSet,
    /// Whether anything was taken into the target.
    news: bool,
    changes: Vec<(Change, T)>,
    switches: Vec<(ConfigSet, T)>,
    settled: Vec<(T, Outcome)>,
}

impl<T> Batch<T> {
    /// No requests yet, on top of what serves.
    pub(super) fn new(served: &ConfigSet) -> Self {
        let (target, news) = (served.clone(), false);
        Self { target, news, changes: Vec::new(), switches: Vec::new(), settled: Vec::new() }
    }

    /// What should serve once all of it is applied.
    pub(super) fn target(&self) -> &ConfigSet {
        &self.target
    }

    /// Whether anything was taken into the target.
    pub(super) fn has_news(&self) -> bool {
        self.news
    }

    /// Whether nobody waits for anything but a whole set.
    pub(super) fn is_sync_only(&self) -> bool {
        self.changes.is_empty()
    }

    /// Merges one change.
    pub(super) fn change(&mut self, at: &StoreHead, change: Change, refusals: &Refusals, ticket: T) {
        if let Some(outcome) = refused_before(at, &change, refusals) {
            return self.settled.push((ticket, Err(outcome)));
        }
        match self.target.judge(at, &change) {
            Judgement::Take => {
                self.target.take(&change);
                self.news = true;
                self.changes.push((change, ticket));
            }
            Judgement::Have => self.changes.push((change, ticket)),
            Judgement::Older { than } => {
                self.settled.push((ticket, Err(NotApplied::Superseded { by: than })))
            }
            Judgement::SyncFirst => self.settled.push((ticket, Err(NotApplied::SyncFirst))),
            Judgement::Foreign { ours } => {
                self.settled.push((ticket, Err(NotApplied::Foreign { ours, theirs: at.store_id })));
            }
        }
    }

    /// Merges a whole set, but for the documents of it that were refused a short while ago.
    pub(super) fn switch(&mut self, whole: &WholeSet, refusals: &mut Refusals, now: Instant, ticket: T) {
        let theirs = &whole.head;
        if let Err(refusal) = self.target.judge_whole(theirs) {
            let outcome = match refusal {
                WholeRefusal::Foreign { ours } => NotApplied::Foreign { ours, theirs: theirs.store_id },
                WholeRefusal::LowerHead { ours } => NotApplied::LowerHead { ours, theirs: theirs.revision },
            };
            return self.settled.push((ticket, Err(outcome)));
        }
        let wanted = ConfigSet::of_whole(whole);
        refusals.forget_replaced(&wanted);
        let (paused, due): (Vec<_>, Vec<_>) = self
            .target
            .changes_until(&wanted)
            .into_iter()
            .partition(|change| refusals.is_pausing(theirs.store_id, change, now));
        self.target = match (paused.is_empty(), due.is_empty()) {
            (true, _) => wanted.clone(),
            // Nothing of it may be tried now; a store that is followed for nothing is not followed yet.
            (false, true) if self.target.relation(theirs) != Relation::Same => self.target.clone(),
            (false, _) => self.target.with(theirs.store_id, &due),
        };
        self.news |= paused.is_empty() || !due.is_empty();
        self.switches.push((wanted, ticket));
    }

    /// Settles the changes that a newer one, or a whole set, of the same batch has replaced.
    pub(super) fn settle_overtaken(&mut self) {
        let waiting = std::mem::take(&mut self.changes);
        for (change, ticket) in waiting {
            if self.target.serves(&change) {
                self.changes.push((change, ticket));
            } else {
                let by = self.target.settled(&change.name);
                self.settled.push((ticket, Err(NotApplied::Superseded { by })));
            }
        }
    }

    /// Settles what `served` serves, when it is `confirmed` to serve, and what was refused.
    pub(super) fn settle(&mut self, served: &ConfigSet, confirmed: bool, refusals: &Refusals) {
        let known = served.known();
        let store_id = self.target.store_id();
        let outcome_of = |change: &Change| {
            let refusal = store_id.and_then(|store_id| refusals.of(store_id, change));
            let serves = || confirmed && served.store_id() == store_id && served.serves(change);
            match refusal {
                Some(refusal) => Some(Err(NotApplied::Rejected { words: refusal.words.clone() })),
                None => serves().then(|| Ok(known.clone())),
            }
        };
        for (change, ticket) in std::mem::take(&mut self.changes) {
            match outcome_of(&change) {
                Some(outcome) => self.settled.push((ticket, outcome)),
                None => self.changes.push((change, ticket)),
            }
        }
        for (wanted, ticket) in std::mem::take(&mut self.switches) {
            match confirmed && served.covers(&wanted) {
                true => self.settled.push((ticket, Ok(known.clone()))),
                false => self.switches.push((wanted, ticket)),
            }
        }
    }

    /// Settles all that is left: it did not come to serve.
    pub(super) fn settle_rest(&mut self, outcome: &NotApplied) {
        let changes = std::mem::take(&mut self.changes).into_iter().map(|(_, ticket)| ticket);
        let switches = std::mem::take(&mut self.switches).into_iter().map(|(_, ticket)| ticket);
        self.settled.extend(changes.chain(switches).map(|ticket| (ticket, Err(outcome.clone()))));
    }

    /// Those whose outcome is known, to be told.
    pub(super) fn take_settled(&mut self) -> Vec<(T, Outcome)> {
        std::mem::take(&mut self.settled)
    }
}

/// The outcome of a change that was refused before, or is older than one that was.
fn refused_before(at: &StoreHead, change: &Change, refusals: &Refusals) -> Option<NotApplied> {
    let refusal = refusals.get(at.store_id, change)?;
    match change.revision.cmp(&refusal.revision) {
        std::cmp::Ordering::Less => Some(NotApplied::Superseded { by: refusal.revision }),
        std::cmp::Ordering::Equal => Some(NotApplied::Rejected { words: refusal.words.clone() }),
        std::cmp::Ordering::Greater => None,
    }
}
