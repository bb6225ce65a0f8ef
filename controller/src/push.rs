//! Carries out a push or a delete: to all targets at the same time, one verdict each.

use crate::{
    behind::Behind,
    controller::Controller,
    fan_out::{Order, Report, tell},
    ledger::{Ledger, Subject},
    metrics,
    plan::Plan,
    registry::RegistryError,
    rollouts::Running,
    store::{StoreError, StoredConfig},
};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Revision};
use bellwether_proto::{
    RolloutId, StoreHead,
    agent::{DelConfig, SetConfig},
    http::{RolloutView, Verdict},
};
use bellwether_rpc::{Deadline, Link};
use futures_util::StreamExt;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep_until},
};

/// How often a running rollout is kept in the store, for whoever asks another replica.
const SAVE: Duration = Duration::from_millis(200);

/// How long after the deadline a report may still be on its way: every call ends by its deadline.
const OVERDUE: Duration = Duration::from_secs(1);

/// How often a result that could not be kept is offered again.
const SAVE_AGAIN: Duration = Duration::from_millis(500);

/// Why nothing was pushed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the broker: {0}")]
    Broker(Link),
    #[error("{0}")]
    Behind(Arc<Behind>),
    #[error("this controller is shutting down: ask another")]
    Stopping,
}

impl Controller {
    /// Stores a document and begins to push it to every agent that its selector chooses.
    pub(crate) async fn push(
        self: &Arc<Self>,
        config: IngressConfig,
        author: &str,
        timeout: Duration,
    ) -> Result<RolloutView, PushError> {
        self.ensure_sending()?;
        let agents = self.agents_of_the_store().await?;
        let plan = Plan::of(&agents, config.selector());
        let head = self.store.head().await?;
        let stored = self.store.put(config, author, &now_in_seconds()).await?;
        let order = SetConfig {
            at: StoreHead { revision: stored.revision, ..head },
            name: stored.config.name().clone(),
            config: stored.config.clone(),
        };
        let subject = subject(&stored, stored.revision, Some(Digest::of_document(&stored.config)));
        Ok(self.begin(subject, plan, Order::Set(order), timeout).await)
    }

    /// Deletes a document and begins to tell every agent that its selector chose.
    pub(crate) async fn delete(
        self: &Arc<Self>,
        name: &ConfigName,
        timeout: Duration,
    ) -> Result<RolloutView, PushError> {
        self.ensure_sending()?;
        let agents = self.agents_of_the_store().await?;
        let head = self.store.head().await?;
        let (deleted, revision) = self.store.delete(name).await?;
        let plan = Plan::of(&agents, deleted.config.selector());
        let order = DelConfig { at: StoreHead { revision, ..head }, name: name.clone() };
        Ok(self.begin(subject(&deleted, revision, None), plan, Order::Delete(order), timeout).await)
    }

    /// Nothing is stored while it could be told to nobody, or its result would be lost.
    fn ensure_sending(&self) -> Result<(), PushError> {
        if self.tasks.is_closed() {
            return Err(PushError::Stopping);
        }
        let link = self.connection.link().borrow().clone();
        match link {
            Link::Up { .. } => Ok(()),
            other => Err(PushError::Broker(other)),
        }
    }

    /// Keeps the rollout with every target in it, then sends. What it is about has been stored: from here on nothing
    /// stops it, and a rollout that cannot be kept now is kept at its end.
    async fn begin(
        self: &Arc<Self>,
        subject: Subject,
        plan: Plan,
        order: Order,
        timeout: Duration,
    ) -> RolloutView {
        let id = subject.rollout;
        let names = plan.targets.iter().map(|target| target.name.clone());
        let ledger = Ledger::new(subject, names, plan.absent.clone());
        let view = ledger.view(Duration::ZERO);
        if let Err(error) = self.store.save_rollout(&view).await {
            tracing::warn!(rollout = %id, %error, "a rollout begins that only this controller knows of");
        }
        metrics::rollout_begins();
        tracing::info!(rollout = %id, config = %view.config, revision = %view.revision, targets = view.targets,
            absent = view.absent.len(), "a rollout begins");
        let rollout = Rollout { running: self.rollouts.begin(id, Running::new(ledger)) };
        let controller = self.clone();
        self.tasks.spawn(async move {
            rollout.run(&controller, &plan, &order, Deadline::after(timeout)).await;
        });
        view
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
struct Rollout {
    running: watch::Sender<Running>,
}

impl Rollout {
    /// Tells all targets at the same time, and takes down each verdict as it comes.
    async fn run(self, controller: &Controller, plan: &Plan, order: &Order, deadline: Deadline) {
        let mut reports = tell(&controller.connection, &controller.pool, plan, order, deadline).await;
        let mut save = interval(SAVE);
        save.set_missed_tick_behavior(MissedTickBehavior::Delay);
        save.reset();
        let mut unsaved = false;
        while !self.is_done() {
            tokio::select! {
                report = reports.next() => match report {
                    Some(report) => {
                        self.take_down(report);
                        unsaved = true;
                    }
                    None => break,
                },
                () = sleep_until(deadline.instant() + OVERDUE) => break,
                _ = save.tick(), if unsaved => {
                    let view = self.running.borrow().view();
                    let _ = controller.store.save_rollout(&view).await;
                    unsaved = false;
                }
            }
        }
        self.give_up_on_the_rest();
        self.finish(controller).await;
    }

    /// Whoever has no report by now will have none: the counts add up all the same.
    fn give_up_on_the_rest(&self) {
        let rest = self.running.borrow().waiting();
        for agent in rest {
            tracing::error!(%agent, "a target of a rollout had no outcome of its own");
            self.take_down((agent, Verdict::TimedOut, "no answer by the deadline".to_owned()));
        }
    }

    fn is_done(&self) -> bool {
        self.running.borrow().is_done()
    }

    /// Nobody is woken for it: who waits, waits for the result.
    fn take_down(&self, (agent, verdict, reason): Report) {
        self.running.send_if_modified(|running| {
            if running.record(agent, verdict, reason) {
                metrics::verdict(verdict);
            }
            false
        });
    }

    /// Offers the whole result to the store before anybody is told that it is done, so that every replica can show
    /// it; and again for as long as it takes, while this one shows it.
    async fn finish(self, controller: &Controller) {
        let view = self.running.borrow().result();
        let mut saved = controller.store.save_rollout(&view).await;
        self.running.send_modify(|running| running.keep(view.clone()));
        metrics::rollout_ends(&view);
        while let Err(error) = &saved {
            tracing::warn!(rollout = %view.rollout, %error, "the result could not be kept; trying again");
            tokio::time::sleep(SAVE_AGAIN).await;
            saved = controller.store.save_rollout(&view).await;
        }
        controller.rollouts.end(view.rollout);
        tracing::info!(rollout = %view.rollout, config = %view.config, revision = %view.revision,
            targets = view.targets, applied = view.count(Verdict::Applied), elapsed_ms = view.elapsed_ms,
            "a rollout is done");
    }
}
