//! Looks for the silent, and keeps the pool in step with who is there.

use crate::{
    controller::{Controller, Hearing},
    desired::Desired,
    guard::{BlindGuard, Look, SLOW},
    registry::{AgentEntry, Presence, RegistryError},
};
use bellwether_proto::AgentName;
use bellwether_rpc::{Deadline, Generation};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// How often the silent are looked for: what it adds to the time in which a dead agent is known to be.
const TICK: Duration = Duration::from_millis(100);
/// How often this replica announces itself, and compares a part of the agents with its pool: all, where they are few.
const ROUND: Duration = Duration::from_secs(1);
/// About how many agents the registry lists at a time, and after how many rounds it has listed all of a large fleet.
const A_PART: usize = 512;
const ROUNDS_A_SWEEP: usize = 5;
/// How often agents that have long been offline are forgotten.
const FORGET: Duration = Duration::from_secs(60);
/// How many of the silent are looked into at a time.
const SILENT_AT_A_TIME: usize = 1_000;
/// How many events are read at a time.
const EVENTS_AT_A_TIME: usize = 1_000;

/// Watches over presence until `shutdown`. `bound` says over which connection beats reach this replica.
pub(crate) async fn watch_presence(
    controller: Arc<Controller>,
    bound: watch::Receiver<Option<Generation>>,
    shutdown: CancellationToken,
) {
    let mut watcher = Watcher::new(controller, bound);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = tick.tick() => watcher.look_around().await,
        }
    }
}

struct Watcher {
    controller: Arc<Controller>,
    bound: watch::Receiver<Option<Generation>>,
    guard: BlindGuard,
    /// The registry's life, as last read.
    epoch: Option<String>,
    /// Whether a message to ourselves came back through the broker when that was last tried.
    broker_answers: bool,
    /// The last event that the pool has taken in; none before the first look.
    last_event: Option<String>,
    desired: Option<Desired>,
    sweep: Sweep,
    next_round: Instant,
    next_forgetting: Instant,
}

impl Watcher {
    fn new(controller: Arc<Controller>, bound: watch::Receiver<Option<Generation>>) -> Self {
        let settings = &controller.settings;
        let guard = BlindGuard::new(settings.time_to_live + settings.reconnect_window);
        let now = Instant::now();
        Self {
            controller,
            bound,
            guard,
            epoch: None,
            broker_answers: false,
            last_event: None,
            desired: None,
            sweep: Sweep::default(),
            next_round: now,
            next_forgetting: now + FORGET,
        }
    }

    /// One look: whatever fails, nobody is called offline by it.
    async fn look_around(&mut self) {
        let started = Instant::now();
        let outcome = self.look().await;
        let now = Instant::now();
        let silent = match outcome {
            Ok(silent) => silent,
            Err(error) => {
                self.complain(&error, "presence cannot be read or written; trying again");
                self.epoch = None;
                self.sweep = Sweep::default();
                self.controller.store_watch.lose_sight();
                Vec::new()
            }
        };
        let bound = self.bound.borrow().filter(|_| self.broker_answers);
        let records = self.controller.records_beats.load(Ordering::Relaxed)
            && self.controller.trouble.borrow().is_none();
        let Controller { pace, settings, .. } = &*self.controller;
        self.guard.be_patient_for(pace.time_to_live(now) + settings.reconnect_window);
        let look = Look { bound, epoch: self.epoch.clone(), records, took: now - started };
        self.guard.look(now, look);
        self.publish_hearing(now);
        if self.guard.may_judge(now)
            && !silent.is_empty()
            && let Err(error) = self.controller.look_into(&silent).await
        {
            self.complain(&error, "nobody can be called offline; trying again");
        }
    }

    /// Reads what there is to know, and returns who is silent. Only after that are the registry's life read and the
    /// way through the broker tried: had either gone in between, the silence would prove nothing.
    async fn look(&mut self) -> Result<Vec<AgentName>, RegistryError> {
        self.follow_events().await?;
        let silent = self.controller.registry.silent(SILENT_AT_A_TIME).await?;
        let round = Instant::now() >= self.next_round;
        if round || !silent.is_empty() || self.epoch.is_none() {
            let epoch = Some(self.controller.registry.epoch().await?);
            if self.epoch != epoch {
                // Where another life of the registry goes on from is not where this one stopped.
                self.sweep = Sweep::default();
            }
            self.epoch = epoch;
            self.broker_answers = self.controller.connection.round_trip(Deadline::after(SLOW)).await.is_ok();
        }
        if round {
            self.next_round = Instant::now() + ROUND;
            self.round().await?;
            // Not before: a registry that can be read, and not written, is in trouble all the time.
            self.controller.trouble.send_replace(None);
        }
        Ok(silent)
    }

    async fn round(&mut self) -> Result<(), RegistryError> {
        self.controller.announce().await?;
        let there = self.controller.registry.count_there().await?;
        self.controller.pace.follow(there, Instant::now());
        metrics::gauge!("bellwether_controller_beat_interval_seconds").set(self.controller.pace.interval());
        for _ in 0..there.div_ceil(A_PART * ROUNDS_A_SWEEP).max(1) {
            let (agents, next) = self.controller.registry.list_some(self.sweep.next).await?;
            self.controller.pool.reconcile(&agents);
            if let Some(agents) = self.sweep.take(agents, next) {
                self.look_at_all(&agents).await;
                break;
            }
        }
        if Instant::now() >= self.next_forgetting {
            self.next_forgetting = Instant::now() + FORGET;
            let forgotten =
                self.controller.registry.forget_offline(self.controller.settings.forget_after).await?;
            if forgotten > 0 {
                tracing::info!(forgotten, "agents that were offline for long are forgotten");
            }
        }
        Ok(())
    }

    /// What can be said only of the whole fleet.
    async fn look_at_all(&mut self, agents: &[AgentEntry]) {
        self.controller.pool.swept();
        count(agents);
        self.count_converged(agents).await;
        if self.controller.watch_store(agents).await.is_err() {
            // Whoever needs the store says so; what comes back in its place is looked at anew.
            self.controller.store_watch.lose_sight();
        }
    }

    async fn count_converged(&mut self, agents: &[AgentEntry]) {
        // Whoever needs the store says so when it is away.
        let Ok(snapshot) = self.controller.store.snapshot().await else { return };
        let desired = match self.desired.take() {
            Some(mut desired) => {
                desired.update(snapshot);
                desired
            }
            None => Desired::new(snapshot),
        };
        let desired = self.desired.insert(desired);
        let there = agents.iter().filter(|agent| agent.presence != Presence::Offline);
        let converged = there.filter(|agent| desired.is_converged(&agent.record.labels, &agent.record.known));
        metrics::gauge!("bellwether_controller_agents_converged").set(converged.count() as f64);
    }

    /// Takes in what any replica has seen since the last look. What happened before the first is history.
    async fn follow_events(&mut self) -> Result<(), RegistryError> {
        let history = self.last_event.is_none();
        loop {
            let after = self.last_event.as_deref();
            let events = self.controller.registry.events(after, EVENTS_AT_A_TIME).await?;
            let complete = events.len() < EVENTS_AT_A_TIME;
            for event in events {
                if !history && event.kind == crate::registry::OFFLINE {
                    self.controller.pool.remove(&event.agent, event.instance);
                }
                self.last_event = Some(event.id);
            }
            if complete {
                self.last_event.get_or_insert_with(|| "0-0".to_owned());
                return Ok(());
            }
        }
    }

    fn publish_hearing(&self, now: Instant) {
        let hearing = Hearing::of(&self.guard, now);
        let judges = matches!(hearing, Hearing::Judging { .. });
        metrics::gauge!("bellwether_controller_hears_fleet").set(u8::from(judges));
        let before = self.controller.hearing.send_replace(hearing);
        match (before, hearing) {
            (Hearing::Blind, Hearing::Blind) | (Hearing::Listening { .. }, Hearing::Listening { .. }) => {}
            (Hearing::Judging { .. }, Hearing::Judging { .. }) => {}
            (_, Hearing::Blind) => tracing::warn!("cannot hear the fleet: nobody is called offline"),
            (_, Hearing::Listening { remaining, .. }) => {
                tracing::info!(for_ms = remaining.as_millis(), "listening before anybody is called offline");
            }
            (_, Hearing::Judging { .. }) => tracing::info!("hears the fleet: the silent are called offline"),
        }
    }

    /// Says it once for each error, not for each attempt.
    fn complain(&self, error: &RegistryError, what: &str) {
        let trouble = Some(error.to_string());
        let news = self.controller.trouble.send_if_modified(|known| {
            let news = *known != trouble;
            *known = trouble;
            news
        });
        if news {
            tracing::warn!(%error, "{what}");
        }
    }
}

/// One way through all agents that are known, some hundreds at a time. It may meet one twice.
#[derive(Default)]
struct Sweep {
    met: BTreeMap<AgentName, AgentEntry>,
    next: u64,
}

impl Sweep {
    /// Takes in a part of them, and gives all once these were the last.
    fn take(&mut self, part: Vec<AgentEntry>, next: u64) -> Option<Vec<AgentEntry>> {
        self.met.extend(part.into_iter().map(|agent| (agent.record.name.clone(), agent)));
        self.next = next;
        (next == 0).then(|| std::mem::take(&mut self.met).into_values().collect())
    }
}

fn count(agents: &[AgentEntry]) {
    let mut counts = [("online", 0u32), ("unknown", 0), ("offline", 0)];
    for agent in agents {
        let at = match agent.presence {
            Presence::Online => 0,
            Presence::Silent => 1,
            Presence::Offline => 2,
        };
        counts[at].1 += 1;
    }
    for (state, number) in counts {
        metrics::gauge!("bellwether_controller_agents", "state" => state).set(number);
    }
}
