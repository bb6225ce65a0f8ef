//! Carries out a push or a delete: to all targets at the same time, one verdict each.

use crate::{
    controller::Controller,
    ledger::{Ledger, Subject, verdict},
    plan::{Plan, Target},
    pool::Member,
    registry::RegistryError,
    store::{StoreError, StoredConfig},
};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Revision};
use bellwether_proto::{
    RolloutId, StoreHead,
    agent::{DelConfig, SetConfig},
    http::{RolloutView, Verdict},
};
use bellwether_rpc::{CallError, Deadline, Link};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

/// How often a running rollout is kept in the store, for whoever asks another replica.
const SAVE: Duration = Duration::from_millis(200);

/// How often a rollout that could not be kept is offered again, and for how many times.
const SAVE_AGAIN: (Duration, u32) = (Duration::from_millis(500), 20);

/// Why nothing was pushed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the broker: {0}")]
    Broker(Link),
}

/// What every target is told.
enum Order {
    Set(SetConfig),
    Delete(DelConfig),
}

impl Controller {
    /// Stores a document and begins to push it to every agent that its selector chooses.
    pub(crate) async fn push(
        self: &Arc<Self>,
        config: IngressConfig,
        author: &str,
        timeout: Duration,
    ) -> Result<RolloutView, PushError> {
        self.ensure_broker()?;
        let agents = self.registry.list().await?;
        let plan = Plan::of(&agents, config.selector());
        let now = now_in_seconds();
        let stored = self.store.put(config, author, &now).await?;
        let order = SetConfig {
            at: self.head_at(stored.revision).await?,
            name: stored.config.name().clone(),
            config: stored.config.clone(),
        };
        let subject = subject(&stored, stored.revision, Some(Digest::of_document(&stored.config)));
        self.begin(subject, plan, Order::Set(order), timeout).await
    }

    /// Deletes a document and begins to tell every agent that its selector chose.
    pub(crate) async fn delete(
        self: &Arc<Self>,
        name: &ConfigName,
        timeout: Duration,
    ) -> Result<RolloutView, PushError> {
        self.ensure_broker()?;
        let agents = self.registry.list().await?;
        let (deleted, revision) = self.store.delete(name).await?;
        let plan = Plan::of(&agents, deleted.config.selector());
        let order = DelConfig { at: self.head_at(revision).await?, name: name.clone() };
        self.begin(subject(&deleted, revision, None), plan, Order::Delete(order), timeout).await
    }

    /// Nothing is stored while it could be told to nobody.
    fn ensure_broker(&self) -> Result<(), PushError> {
        let link = self.connection.link().borrow().clone();
        match link {
            Link::Up { .. } => Ok(()),
            other => Err(PushError::Broker(other)),
        }
    }

    async fn head_at(&self, revision: Revision) -> Result<StoreHead, StoreError> {
        Ok(StoreHead { revision, ..self.store.head().await? })
    }

    /// Keeps the rollout with every target in it, then sends.
    async fn begin(
        self: &Arc<Self>,
        subject: Subject,
        plan: Plan,
        order: Order,
        timeout: Duration,
    ) -> Result<RolloutView, PushError> {
        let id = subject.rollout;
        let names = plan.targets.iter().map(|target| target.name.clone());
        let ledger = Ledger::new(subject, names, plan.absent);
        let view = ledger.view(Duration::ZERO);
        self.store.save_rollout(&view).await?;
        tracing::info!(rollout = %id, config = %view.config, revision = %view.revision, targets = view.targets,
            absent = view.absent.len(), "a rollout begins");
        let fan_out = FanOut { ledger, started: Instant::now(), watched: self.rollouts.begin(view.clone()) };
        let controller = self.clone();
        self.tasks.spawn(async move {
            fan_out.run(&controller, &plan.targets, &order, Deadline::after(timeout)).await;
        });
        Ok(view)
    }
}

/// RFC 3339, to the second.
fn now_in_seconds() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

fn subject(stored: &StoredConfig, revision: Revision, digest: Option<Digest>) -> Subject {
    Subject { rollout: RolloutId::new(), config: stored.config.name().clone(), revision, digest }
}

/// One rollout while it runs.
struct FanOut {
    ledger: Ledger,
    started: Instant,
    watched: watch::Sender<RolloutView>,
}

impl FanOut {
    /// Tells all targets at the same time, and takes down each verdict as it comes.
    async fn run(mut self, controller: &Controller, targets: &[Target], order: &Order, deadline: Deadline) {
        let mut calls: FuturesUnordered<_> = targets
            .iter()
            .map(|target| {
                let member = controller.pool.member(target);
                async move { (target, tell(&member, order, deadline).await) }
            })
            .collect();
        let mut save = interval(SAVE);
        save.set_missed_tick_behavior(MissedTickBehavior::Delay);
        save.reset();
        let mut unsaved = false;
        loop {
            tokio::select! {
                ended = calls.next() => match ended {
                    Some((target, (verdict, reason))) => {
                        self.take_down(target, verdict, reason);
                        unsaved = true;
                    }
                    None => break,
                },
                _ = save.tick(), if unsaved => {
                    let view = self.ledger.view(self.started.elapsed());
                    let _ = controller.store.save_rollout(&view).await;
                    unsaved = false;
                }
            }
        }
        self.finish(controller).await;
    }

    fn take_down(&mut self, target: &Target, verdict: Verdict, reason: String) {
        metrics::counter!("bellwether_controller_verdicts_total", "verdict" => verdict.as_str()).increment(1);
        self.ledger.record(target.name.clone(), verdict, reason);
        if !self.ledger.is_done() {
            self.watched.send_replace(self.ledger.view(self.started.elapsed()));
        }
    }

    /// Keeps the whole result before anybody is told that it is done, so that every replica can show it.
    async fn finish(self, controller: &Controller) {
        let view = self.ledger.view(self.started.elapsed());
        let (pause, times) = SAVE_AGAIN;
        let mut saved = controller.store.save_rollout(&view).await;
        self.watched.send_replace(view.clone());
        for _ in 0..times {
            let Err(error) = &saved else { break };
            tracing::warn!(rollout = %view.rollout, %error, "the result could not be kept; trying again");
            tokio::time::sleep(pause).await;
            saved = controller.store.save_rollout(&view).await;
        }
        controller.rollouts.end(view.rollout);
        metrics::histogram!("bellwether_controller_rollout_duration_seconds")
            .record(view.elapsed_ms as f64 / 1_000.0);
        tracing::info!(rollout = %view.rollout, config = %view.config, revision = %view.revision,
            targets = view.targets, applied = view.count(Verdict::Applied), elapsed_ms = view.elapsed_ms,
            "a rollout is done");
    }
}

/// Tells one target; whichever comes first: its answer, the deadline, or the news that it is gone.
async fn tell(member: &Member, order: &Order, deadline: Deadline) -> (Verdict, String) {
    tokio::select! {
        biased;
        outcome = call(member, order, deadline) => verdict(outcome),
        () = member.gone.cancelled() => (Verdict::Offline, "it went offline during the push".to_owned()),
    }
}

async fn call(member: &Member, order: &Order, deadline: Deadline) -> Result<(), CallError> {
    match order {
        Order::Set(config) => member.client.set_ingress_config(config, deadline).await.map(drop),
        Order::Delete(config) => member.client.del_ingress_config(config, deadline).await.map(drop),
    }
}
