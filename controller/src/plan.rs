//! Whom a push is for: the target set, frozen before the first send.

use crate::registry::{AgentEntry, Presence};
use bellwether_ingress::Selector;
use bellwether_proto::AgentName;
use bellwether_rpc::Instance;

/// One agent that is meant, as it was known when the set was frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: AgentName,
    pub(crate) instance: Instance,
}

/// Whom a push is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Chosen, and not known to be offline: each gets a verdict.
    pub(crate) targets: Vec<Target>,
    /// Chosen, and known to be offline: they take it on return.
    pub(crate) absent: Vec<AgentName>,
    /// Whether every agent is meant, whatever its labels.
    pub(crate) is_everyone: bool,
}

impl Plan {
    /// The agents that `selector` chooses.
    pub(crate) fn of(agents: &[AgentEntry], selector: &Selector) -> Self {
        let mut plan = Self { is_everyone: selector.is_all(), ..Self::default() };
        for agent in agents.iter().filter(|agent| selector.matches(&agent.record.labels)) {
            let AgentEntry { record, presence, .. } = agent;
            match presence {
                Presence::Online | Presence::Silent => {
                    plan.targets.push(Target { name: record.name.clone(), instance: record.instance });
                }
                Presence::Offline => plan.absent.push(record.name.clone()),
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::AgentRecord;
    use bellwether_ingress::Labels;
    use bellwether_proto::Known;
    use std::time::Duration;

    fn agent(name: &str, zone: &str, presence: Presence) -> AgentEntry {
        let mut labels = Labels::default();
        labels.insert("zone".parse().unwrap(), zone.parse().unwrap());
        let record = AgentRecord {
            name: name.parse().unwrap(),
            instance: Instance::new(),
            generation: 1,
            version: "0".into(),
            labels,
            known: Known::nothing(),
            last_error: None,
        };
        AgentEntry { record, presence, last_seen_age: Duration::ZERO, conflict: false }
    }

    #[test]
    fn the_offline_are_absent_the_silent_are_targets_and_others_are_neither() {
        let fleet = [
            agent("a", "eu", Presence::Online),
            agent("b", "eu", Presence::Silent),
            agent("c", "eu", Presence::Offline),
            agent("d", "us", Presence::Online),
        ];
        let plan = Plan::of(&fleet, &"zone=eu".parse().unwrap());
        let targets: Vec<_> = plan.targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(targets, ["a", "b"]);
        assert_eq!(plan.absent, ["c".parse().unwrap()]);
        assert!(!plan.is_everyone);
    }
}
