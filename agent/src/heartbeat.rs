//! The heartbeat: says on schedule that the agent is alive and what it serves, and hears what it should serve.

mod reach;
mod schedule;

use crate::{
    apply::Served,
    clock::sleep_until_some,
    set::{Standing, standing},
    settings::Settings,
    sync::{SyncTrigger, Wanted},
};
use bellwether_proto::controller::{Beat, BeatReply, ControllerClient};
use bellwether_rpc::{CallError, Deadline, Generation, Instance};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use reach::Reach;
use schedule::{Kind, Schedule};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// Beats whose end is not known yet; beyond them none is sent. Each ends within an interval.
const UNFINISHED_LIMIT: usize = 64;

/// How one beat ended, and what it was answered if it asked.
type Ended = (Kind, Result<Option<BeatReply>, CallError>);

/// What the heartbeat owns.
pub(crate) struct Heartbeat {
    settings: Settings,
    instance: Instance,
    client: ControllerClient,
    bound: watch::Receiver<Option<Generation>>,
    served: watch::Receiver<Served>,
    sync: SyncTrigger,
    schedule: Schedule,
    reach: Reach,
    said: Option<Served>,
    unfinished: FuturesUnordered<BoxFuture<'static, Ended>>,
}

impl Heartbeat {
    pub(crate) fn new(
        settings: &Settings,
        instance: Instance,
        client: ControllerClient,
        bound: watch::Receiver<Option<Generation>>,
        served: watch::Receiver<Served>,
        sync: SyncTrigger,
    ) -> Self {
        Self {
            settings: settings.clone(),
            instance,
            client,
            bound,
            served,
            sync,
            schedule: Schedule::new(settings.interval),
            reach: Reach::default(),
            said: None,
            unfinished: FuturesUnordered::new(),
        }
    }

    /// Beats until `shutdown`, from when the agent can be reached and has tried to serve what it remembers.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.run_on() => {}
        }
    }

    async fn run_on(&mut self) {
        if self.served.wait_for(|served| served.is_ready).await.is_err() {
            return;
        }
        self.schedule.connected(*self.bound.borrow_and_update(), Instant::now());
        loop {
            tokio::select! {
                changed = self.bound.changed() => match changed {
                    Ok(()) => self.schedule.connected(*self.bound.borrow_and_update(), Instant::now()),
                    Err(_) => return,
                },
                changed = self.served.changed() => match changed {
                    Ok(()) => self.look_for_news(),
                    Err(_) => return,
                },
                () = sleep_until_some(self.schedule.next()) => self.beat_on_schedule(),
                Some(ended) = self.unfinished.next() => self.ended(ended),
            }
        }
    }

    fn beat_on_schedule(&mut self) {
        if let Some((kind, generation)) = self.schedule.take(Instant::now()) {
            self.beat(kind, generation);
        }
    }

    /// Has a beat come soon when what serves is not what was last said.
    fn look_for_news(&mut self) {
        let served = self.served.borrow_and_update();
        let is_news = |said: &Served| said.known != served.known || said.last_error != served.last_error;
        if self.said.as_ref().is_some_and(is_news) {
            self.schedule.tell_soon(rand::random(), Instant::now());
        }
    }

    /// Sends a beat, and does not wait for it.
    fn beat(&mut self, kind: Kind, generation: Generation) {
        if self.unfinished.len() >= UNFINISHED_LIMIT {
            return;
        }
        metrics::counter!("bellwether_agent_beats_total", "kind" => kind.name()).increment(1);
        let served = self.served.borrow_and_update().clone();
        let beat = self.message(generation, &served);
        self.said = Some(served);
        let (client, deadline) = (self.client.clone(), Deadline::after(self.schedule.interval()));
        self.unfinished.push(Box::pin(async move {
            let outcome = match kind {
                Kind::OneWay => client.notify_online_agent(&beat, deadline).await.map(|()| None),
                Kind::Asking => client.online_agent(&beat, deadline).await.map(Some),
            };
            (kind, outcome)
        }));
    }

    fn message(&self, generation: Generation, served: &Served) -> Beat {
        Beat {
            name: self.settings.name.clone(),
            instance: self.instance,
            generation,
            version: self.settings.version.clone(),
            labels: self.settings.labels.clone(),
            known: served.known.clone(),
            last_error: served.last_error.clone(),
        }
    }

    fn ended(&mut self, (kind, outcome): Ended) {
        // A beat that does not ask says nothing about controllers.
        if kind == Kind::Asking {
            self.reach.heard(outcome.as_ref().err());
        }
        if let Ok(Some(reply)) = outcome {
            self.answered(reply);
        }
    }

    fn answered(&mut self, BeatReply { head, digest, next_beat_ms }: BeatReply) {
        self.schedule.assign(Duration::from_millis(next_beat_ms));
        let standing = standing(&self.served.borrow().known, &head, digest);
        self.reach.stands(standing, &head);
        if standing == Standing::Stale {
            self.sync.request(Wanted { head, digest: Some(digest) });
        }
    }
}
