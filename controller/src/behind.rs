//! Whether the store is behind the fleet: emptied, another one, or restored from an old copy.
//!
//! An emptied store must not empty the fleet. Agents refuse a store that is not theirs and does not succeed it; this is
//! how the controller notices, from what they report.

use crate::{
    registry::{AgentEntry, Presence},
    store::Succession,
};
use bellwether_ingress::Revision;
use bellwether_proto::{AgentName, Known, StoreHead, StoreId};
use std::{collections::HashMap, fmt, time::Duration};
use tokio::time::Instant;

/// How far above the store's head a reported revision is still believed: a change every millisecond for 34 years.
/// Beyond it, one broken agent could have the counter raised to where it has no room left (Redis counts up to 2^63, Lua
/// and many readers of JSON up to 2^53).
const MOST_AHEAD: u64 = 1 << 40;

/// What one agent reports of a store that this one does not stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It follows a store that this one does not succeed.
    Foreign(StoreId),
    /// It has taken a revision of this store that the store has not given, or has lost.
    Ahead(Revision),
}

/// That the store is behind the fleet, and by whose report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    /// The head at which it was found so.
    pub(crate) head: StoreHead,
    /// The highest revision that any agent reports, of whatever store.
    pub(crate) highest: Revision,
    /// How many agents that are there report so.
    agents: usize,
    /// One of them.
    witness: AgentName,
    sign: Sign,
}

impl Behind {
    /// What the agents report, if any of those that are there gives a sign. `head` was read after they were listed: what
    /// an agent has taken was committed before.
    pub(crate) fn of<'a>(
        head: &StoreHead,
        agents: impl IntoIterator<Item = &'a AgentEntry, IntoIter: Clone>,
    ) -> Option<Self> {
        let agents = agents.into_iter();
        let there = agents.clone().filter(|agent| agent.presence != Presence::Offline);
        let mut signs = there.filter_map(|agent| Some((agent, sign(&agent.record.known, head)?)));
        let (witness, sign) = signs.next()?;
        Some(Self {
            head: head.clone(),
            highest: highest(head, agents),
            agents: 1 + signs.count(),
            witness: witness.record.name.clone(),
            sign,
        })
    }
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let like_it =
            if self.agents > 1 { format!(" ({} more like it)", self.agents - 1) } else { String::new() };
        let (witness, StoreHead { store_id, revision, .. }) = (&self.witness, &self.head);
        write!(f, "the store is behind the fleet: ")?;
        match self.sign {
            Sign::Foreign(theirs) => {
                write!(f, "{witness} follows store {theirs}{like_it}, and this is store {store_id}")?;
            }
            Sign::Ahead(theirs) => {
                write!(
                    f,
                    "{witness} has taken its revision {theirs}{like_it}, and it has given only {revision}"
                )?;
            }
        }
        f.write_str("; restore Redis from its backup, or run `bellwether adopt`: agents then drop what it does not hold")
    }
}

/// What an agent that knows this is a sign of. One that has taken nothing yet, or less than the store has given, is none.
pub(crate) fn sign(known: &Known, head: &StoreHead) -> Option<Sign> {
    let theirs = known.store_id?;
    if theirs == head.store_id {
        let ahead = known.revision > head.revision && is_believed(known, head);
        return ahead.then_some(Sign::Ahead(known.revision));
    }
    (!head.succeeds.contains(&theirs)).then_some(Sign::Foreign(theirs))
}

/// What people are told of an agent whose revision cannot be true.
pub(crate) fn disbelief(known: &Known, head: &StoreHead) -> Option<String> {
    (!is_believed(known, head)).then(|| {
        format!(
            "it reports revision {}, which cannot be true: the store's is {}",
            known.revision, head.revision
        )
    })
}

fn is_believed(known: &Known, head: &StoreHead) -> bool {
    known.revision.get() <= head.revision.get().saturating_add(MOST_AHEAD)
}

fn highest<'a>(head: &StoreHead, agents: impl Iterator<Item = &'a AgentEntry>) -> Revision {
    let known = agents.map(|agent| &agent.record.known);
    known.filter(|known| is_believed(known, head)).map(|known| known.revision).max().unwrap_or_default()
}

/// In whose place the store has to step so that no agent, offline or not, gives a sign any more; none if none does.
pub(crate) fn succession(head: &StoreHead, agents: &[AgentEntry]) -> Option<Succession> {
    let mut followers: HashMap<StoreId, usize> = HashMap::new();
    for agent in agents {
        match sign(&agent.record.known, head) {
            Some(Sign::Foreign(store)) => *followers.entry(store).or_default() += 1,
            Some(Sign::Ahead(_)) => *followers.entry(head.store_id).or_default() += 1,
            None => {}
        }
    }
    let mut stores: Vec<_> = followers.into_iter().collect();
    stores.sort_by_key(|(store, followers)| (*followers, *store));
    let stores: Vec<_> = stores.into_iter().map(|(store, _)| store).collect();
    (!stores.is_empty()).then(|| Succession { stores, above: highest(head, agents.iter()) })
}

/// Since when this replica has looked at the store that it sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    store_id: StoreId,
    since: Instant,
}

impl Sight {
    /// What is seen at `now`, after `before` was. A store that steps into the place of the one seen before is the same.
    pub(crate) fn after(before: Option<Self>, head: &StoreHead, now: Instant) -> Self {
        let same =
            |before: &Self| head.store_id == before.store_id || head.succeeds.contains(&before.store_id);
        let since = before.filter(same).map_or(now, |before| before.since);
        Self { store_id: head.store_id, since }
    }

    /// How much longer agents may take to tell of another store, if none has been heard since this one is seen: the
    /// registry may have been emptied together with the store. They get `patience`.
    pub(crate) fn must_wait_for(
        self,
        agents: &[AgentEntry],
        now: Instant,
        patience: Duration,
    ) -> Option<Duration> {
        let seen_for = now.saturating_duration_since(self.since);
        let heard =
            |agent: &AgentEntry| agent.presence == Presence::Online && agent.last_seen_age <= seen_for;
        let wait = patience.saturating_sub(seen_for);
        (!wait.is_zero() && !agents.iter().any(heard)).then_some(wait)
    }
}

#[cfg(test)]
mod tests;
