//! Sends a change and follows its rollout until every target has its verdict.

use crate::{
    client::{self, Client},
    console,
    progress::Progress,
    report::Style,
};
use anyhow::Context;
use bellwether_ingress::TimeSpan;
use bellwether_proto::{
    RolloutId,
    http::{RolloutState, RolloutView},
};
use std::time::Duration;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep, sleep_until},
};

/// How much longer than its deadline a rollout is waited for: time to find another controller after one died.
const GRACE: Duration = Duration::from_secs(15);
/// Between two questions, however fast the answers come.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// After a question that got no answer.
const PAUSE: Duration = Duration::from_millis(500);

/// Follows changes, one after the other, until Ctrl-C.
pub(crate) struct Follow<'a> {
    client: &'a Client,
    patience: Duration,
    style: Style,
    interrupt: Signal,
}

/// How following ended.
pub(crate) enum Ended {
    /// Every target has its verdict.
    Done(RolloutView),
    /// By Ctrl-C; what that means has been said.
    Interrupted,
}

/// Why a change was not seen to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The controller did not take it, or may not have.
    #[error("{}{}", .0, doubt(.0))]
    Sending(client::Error),
    /// The controller took it, and then could not be asked any more.
    #[error("{cause}; the rollout goes on without: see `bellwether rollouts {id}`")]
    Following { id: RolloutId, cause: client::Error },
    /// It should be done by now.
    #[error("the rollout is not done long after its deadline: see `bellwether rollouts {id}`")]
    Unending { id: RolloutId },
}

impl Error {
    /// Whether it is about this one document, so that others may still be pushed.
    pub(crate) fn concerns_the_document(&self) -> bool {
        matches!(self, Self::Sending(error) if error.concerns_the_document())
    }
}

fn doubt(error: &client::Error) -> &'static str {
    match error {
        client::Error::NoAnswer { .. } => "; it may have been taken all the same: see `bellwether rollouts`",
        _ => "",
    }
}

impl<'a> Follow<'a> {
    /// Follows changes whose agents have `timeout`. From here on Ctrl-C is caught.
    pub(crate) fn new(client: &'a Client, timeout: TimeSpan, style: Style) -> anyhow::Result<Self> {
        let interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
        Ok(Self { client, patience: timeout.as_duration().saturating_add(GRACE), style, interrupt })
    }

    /// Waits until `sent` is answered, then until the rollout is done.
    pub(crate) async fn through(
        &mut self,
        sent: impl Future<Output = Result<RolloutView, client::Error>>,
    ) -> Result<Ended, Error> {
        let started = tokio::select! {
            started = sent => started.map_err(Error::Sending)?,
            _ = self.interrupt.recv() => {
                console::complain("interrupted; it may have been taken all the same: see `bellwether rollouts`");
                return Ok(Ended::Interrupted);
            }
        };
        let id = started.rollout;
        tokio::select! {
            done = until_done(self.client, started, self.patience, Progress::new(self.style)) => done.map(Ended::Done),
            _ = self.interrupt.recv() => {
                console::complain(format_args!(
                    "interrupted; the rollout goes on at the controller: see `bellwether rollouts {id}`"
                ));
                Ok(Ended::Interrupted)
            }
        }
    }
}

async fn until_done(
    client: &Client,
    mut rollout: RolloutView,
    patience: Duration,
    mut progress: Progress,
) -> Result<RolloutView, Error> {
    let id = rollout.rollout;
    let give_up = Instant::now() + patience;
    while rollout.state == RolloutState::Running {
        let asked = Instant::now();
        if asked > give_up {
            return Err(Error::Unending { id });
        }
        match client.rollout_within(id, progress.poll_seconds()).await {
            Ok(now) => {
                rollout = now;
                progress.show(&rollout);
                if rollout.state == RolloutState::Running {
                    sleep_until(asked + LEAST_INTERVAL).await;
                }
            }
            Err(cause) if cause.may_pass() && asked + PAUSE < give_up => sleep(PAUSE).await,
            Err(cause) => return Err(Error::Following { id, cause }),
        }
    }
    Ok(rollout)
}
