//! Asks the silent whether they are there, before anybody calls them offline: their beats may have come to a replica
//! that stands still.

use crate::{controller::Controller, registry::RegistryError};
use bellwether_proto::{
    AgentName,
    agent::{self, AgentClient, Pong},
};
use bellwether_rpc::{CallError, Deadline, Instance};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::Instant;

/// How long a suspect may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(400);

/// For how long a suspect is one replica's to ask. Should that die meanwhile, another asks after it.
const HOLD: Duration = Duration::from_secs(1);

/// What a suspect's answer, or the lack of one, shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// This process of it is there: a beat was lost.
    There(Instance),
    /// Nobody is at its address.
    Gone,
    /// It said nothing: so does one that is gone, if answers can reach us.
    Silent,
    /// Nothing, for now.
    Nothing,
}

impl Controller {
    /// Calls those of the silent offline that do not answer.
    pub(crate) async fn look_into(&self, silent: &[AgentName]) -> Result<(), RegistryError> {
        let suspects = self.registry.suspect(silent, HOLD).await?;
        // Sent after the questions: where this process or the broker stands still meanwhile, it does not come back either.
        let asking = join_all(suspects.iter().map(|name| self.ask(name)));
        let listening = self.connection.round_trip(Deadline::after(ANSWER_WITHIN));
        let (findings, heard) = tokio::join!(asking, listening);
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        for (name, finding) in suspects.into_iter().zip(findings) {
            match finding {
                Finding::There(instance) => there.push((name, instance)),
                Finding::Gone => gone.push(name),
                Finding::Silent if heard.is_ok() => gone.push(name),
                Finding::Silent | Finding::Nothing => {}
            }
        }
        self.vouch(&there).await?;
        self.call_offline(&gone).await
    }

    /// Sends one mandatory request. Whoever has the name now may answer.
    async fn ask(&self, name: &AgentName) -> Finding {
        let client = AgentClient::new(self.connection.clone(), agent::address(name));
        finding(client.ping(Deadline::after(ANSWER_WITHIN)).await)
    }

    async fn vouch(&self, there: &[(AgentName, Instance)]) -> Result<(), RegistryError> {
        for agent in self.registry.vouch(there, self.pace.time_to_live(Instant::now())).await? {
            tracing::debug!(%agent, "its beats are missing, and it answers");
            metrics::counter!("bellwether_controller_beats_missed_total").increment(1);
        }
        Ok(())
    }

    async fn call_offline(&self, gone: &[AgentName]) -> Result<(), RegistryError> {
        for agent in self.registry.take_offline(gone).await? {
            tracing::warn!(%agent, "offline: no beat in time, and no answer");
            metrics::counter!("bellwether_controller_agents_lost_total").increment(1);
        }
        Ok(())
    }
}

fn finding(outcome: Result<Pong, CallError>) -> Finding {
    match outcome {
        Ok(Pong { instance }) => Finding::There(instance),
        Err(CallError::Unroutable { .. }) => Finding::Gone,
        Err(CallError::DeadlineExceeded { sent: true }) => Finding::Silent,
        // It answers, but not who it is; or nothing could be sent, or come back.
        Err(_) => Finding::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_rpc::Fault;

    #[test]
    fn only_an_empty_address_shows_by_itself_that_an_agent_is_gone() {
        let instance = Instance::new();
        let table = [
            (Ok(Pong { instance }), Finding::There(instance)),
            (Err(CallError::Unroutable { address: "agent/a".into(), sent: false }), Finding::Gone),
            (Err(CallError::DeadlineExceeded { sent: true }), Finding::Silent),
            (Err(CallError::DeadlineExceeded { sent: false }), Finding::Nothing),
            (Err(CallError::Disconnected), Finding::Nothing),
            (Err(CallError::Overloaded { reason: "blocked".into() }), Finding::Nothing),
            (Err(Fault::overloaded("busy").into()), Finding::Nothing),
        ];
        for (outcome, expected) in table {
            assert_eq!(finding(outcome.clone()), expected, "{outcome:?}");
        }
    }
}
