//! The one thing about a simulated agent that is not real: its proxy.

use super::tally::{Deed, Tally};
use async_trait::async_trait;
use bellwether_agent::driver::{ApplyError, Driver, EffectiveSet, Failure, Step};
use std::{str::FromStr, time::Duration};
use tokio::time::sleep;

/// A part of the agents, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share(f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| "a share is a number from 0 to 1, such as 0.01".to_owned())
    }
}

impl Share {
    /// How many of so many agents.
    pub(crate) fn of(self, agents: u32) -> u32 {
        (f64::from(agents) * self.0).round() as u32
    }
}

/// How the proxies behave: the first so many refuse, the next stall, the next fail, and all others apply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conduct {
    pub(crate) latency: Duration,
    pub(crate) rejects: u32,
    pub(crate) stalls: u32,
    pub(crate) fails: u32,
}

impl Conduct {
    /// What the proxy of the agent with this number, from 1, does with every set.
    fn of(self, number: u32) -> Deed {
        let Self { rejects, stalls, fails, .. } = self;
        match number {
            n if n <= rejects => Deed::Rejected,
            n if n <= rejects.saturating_add(stalls) => Deed::Stalled,
            n if n <= rejects.saturating_add(stalls).saturating_add(fails) => Deed::Failed,
            _ => Deed::Applied,
        }
    }

    /// The proxy of the agent with this number.
    pub(crate) fn proxy(self, number: u32, tally: Tally) -> Box<dyn Driver> {
        Box::new(SimulatedProxy { deed: self.of(number), latency: self.latency, tally })
    }
}

struct SimulatedProxy {
    deed: Deed,
    latency: Duration,
    tally: Tally,
}

#[async_trait]
impl Driver for SimulatedProxy {
    async fn apply(&mut self, _: &EffectiveSet) -> Result<(), ApplyError> {
        sleep(self.latency).await;
        self.tally.count(self.deed);
        match self.deed {
            Deed::Applied => Ok(()),
            Deed::Rejected => Err(Failure::of_set("the simulated proxy refuses every set").at(Step::Check)),
            Deed::Failed => {
                Err(Failure::from(std::io::Error::other("a simulated failure of the node")).at(Step::Stage))
            }
            Deed::Stalled => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_agents_are_the_first_ones_and_each_kind_has_its_own() {
        let share = |text: &str| text.parse::<Share>().unwrap();
        let conduct = Conduct {
            latency: Duration::ZERO,
            rejects: share("0.01").of(300),
            stalls: share("0.02").of(300),
            fails: share("1").of(1),
        };
        let deeds: Vec<_> = (1..=11).map(|number| conduct.of(number)).collect();
        use Deed::{Applied, Failed, Rejected, Stalled};
        let expected =
            [vec![Rejected; 3], vec![Stalled; 6], vec![Failed], vec![Applied]].into_iter().flatten();
        assert_eq!(deeds, expected.collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for bad in ["", "-0.1", "1.1", "5%", "NaN", "inf"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }
}
