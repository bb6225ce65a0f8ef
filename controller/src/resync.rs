//! Admits `Resync` notifications: at most one for an agent in a while.

use bellwether_proto::AgentName;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// How often one agent is told that it is stale.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

/// Remembers whom it has told, for as long as that matters.
#[derive(Debug, Default)]
pub(crate) struct ResyncGate {
    told: HashMap<AgentName, Instant>,
    swept: Option<Instant>,
}

impl ResyncGate {
    /// Whether this agent may be told at `now`; if so, it counts as told.
    pub(crate) fn admits(&mut self, agent: &AgentName, now: Instant) -> bool {
        self.sweep(now);
        if self.told.get(agent).is_some_and(|told| now.saturating_duration_since(*told) < PAUSE) {
            return false;
        }
        self.told.insert(agent.clone(), now);
        true
    }

    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < PAUSE) {
            return;
        }
        self.told.retain(|_, told| now.saturating_duration_since(*told) < PAUSE);
        self.swept = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_told_once_in_a_while_and_others_are_not_held_back() {
        let (mut gate, start) = (ResyncGate::default(), Instant::now());
        let (a, b): (AgentName, AgentName) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert!(gate.admits(&a, start));
        assert!(!gate.admits(&a, start + PAUSE / 2));
        assert!(gate.admits(&b, start + PAUSE / 2));
        assert!(gate.admits(&a, start + PAUSE));
        assert!(gate.told.len() <= 2);
    }
}
