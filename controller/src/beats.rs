//! Records beats in batches, and tells agents when what they serve is stale.

use crate::{
    behind::sign,
    controller::Controller,
    desired::Desired,
    registry::{AgentRecord, Recorded},
    resync::{PAUSE, ResyncGate},
    rivals::Rivals,
};
use bellwether_proto::{
    agent::{self, AgentClient, Stale},
    controller::{Beat, BeatReply, OnlineAgent},
};
use bellwether_rpc::{Call, Deadline, Fault};
use futures_util::future::join_all;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

/// Beats that may wait to be recorded; more are refused, and the next second brings new ones.
pub(crate) const CAPACITY: usize = 16_384;

/// The most beats that are recorded at a time. While one batch is written the next one gathers.
const BATCH: usize = 512;

/// How long the first beat of a batch waits for others: each batch costs a round trip to the registry, whatever its size.
const GATHER: Duration = Duration::from_millis(10);

/// The most bytes of an agent's own words that are recorded.
const LONGEST_TEXT: usize = 2_000;

/// Records beats until no more can come.
pub(crate) async fn record_beats(controller: Arc<Controller>, mut beats: mpsc::Receiver<Call<OnlineAgent>>) {
    let (resyncs, rivals) = (ResyncGate::default(), Rivals::default());
    let mut desk = Desk { controller, desired: None, resyncs, rivals };
    while let Some(first) = beats.recv().await {
        desk.settle(gather(first, &mut beats).await).await;
    }
}

/// A batch that begins with `first`.
async fn gather<T>(first: T, beats: &mut mpsc::Receiver<T>) -> Vec<T> {
    if beats.len() < BATCH {
        sleep(GATHER).await;
    }
    let rest = std::iter::from_fn(|| beats.try_recv().ok());
    std::iter::once(first).chain(rest).take(BATCH).collect()
}

struct Desk {
    controller: Arc<Controller>,
    desired: Option<Desired>,
    resyncs: ResyncGate,
    rivals: Rivals,
}

impl Desk {
    /// Records one batch, then answers each of its beats.
    async fn settle(&mut self, batch: Vec<Call<OnlineAgent>>) {
        metrics::histogram!("bellwether_controller_beat_batch_size").record(batch.len() as f64);
        let (beats, responders): (Vec<_>, Vec<_>) = batch.into_iter().map(Call::split).unzip();
        let records: Vec<_> = beats.into_iter().map(record).collect();
        let answers = match self.record(&records).await {
            Ok(recorded) => {
                count(&recorded);
                records.iter().zip(recorded).map(|(record, recorded)| self.answer(record, recorded)).collect()
            }
            Err(fault) => vec![Err(fault); records.len()],
        };
        join_all(responders.into_iter().zip(answers).map(|(responder, answer)| responder.answer(answer)))
            .await;
    }

    async fn record(&mut self, records: &[AgentRecord]) -> Result<Vec<Recorded>, Fault> {
        let Controller { registry, store, pace, .. } = &*self.controller;
        let unavailable = |error: String| {
            metrics::counter!("bellwether_controller_beats_total", "outcome" => "failed")
                .increment(records.len() as u64);
            tracing::debug!(error, "beats were not recorded");
            Fault::unavailable(error)
        };
        let recorded = registry.record(records, pace.time_to_live(Instant::now())).await;
        self.controller.records_beats.store(recorded.is_ok(), Ordering::Relaxed);
        let recorded = recorded.map_err(|error| unavailable(error.to_string()))?;
        let snapshot = store.snapshot().await.map_err(|error| unavailable(error.to_string()))?;
        match &mut self.desired {
            Some(desired) => desired.update(snapshot),
            None => self.desired = Some(Desired::new(snapshot)),
        }
        Ok(recorded)
    }

    fn answer(&mut self, record: &AgentRecord, recorded: Recorded) -> Result<BeatReply, Fault> {
        self.rivals.look_at(record);
        match recorded {
            Recorded::Online => self.reply(record),
            Recorded::Conflict => {
                self.rivals.conflict(record);
                Err(Fault::rejected(format!(
                    "a newer process of the name {} beats: two agents must not share a name",
                    record.name
                )))
            }
            Recorded::Gone => Err(Fault::rejected("this process has said goodbye")),
        }
    }

    fn reply(&mut self, record: &AgentRecord) -> Result<BeatReply, Fault> {
        let desired = self.desired.as_mut().ok_or_else(|| Fault::internal("no set was read"))?;
        let head = desired.head().clone();
        // While the store is behind the fleet, nobody is told to change anything: everyone serves the right thing.
        let behind =
            sign(&record.known, &head).is_some() || self.controller.store_watch.behind(&head).is_some();
        let digest = if behind { record.known.digest } else { desired.digest(&record.labels) };
        if !behind
            && !desired.is_converged(&record.labels, &record.known)
            && self.resyncs.admits(&record.name, Instant::now())
        {
            let stale = Stale { head: head.clone(), digest };
            self.send_resync(record, stale);
        }
        let next_beat_ms = u64::try_from(self.controller.pace.interval().as_millis()).unwrap_or(u64::MAX);
        Ok(BeatReply { head, digest, next_beat_ms })
    }

    fn send_resync(&self, record: &AgentRecord, stale: Stale) {
        let address = agent::address(&record.name).at_instance(record.instance);
        let client = AgentClient::new(self.controller.connection.clone(), address);
        metrics::counter!("bellwether_controller_resyncs_total").increment(1);
        self.controller.tasks.spawn(async move {
            let _ = client.notify_resync(&stale, Deadline::after(PAUSE)).await;
        });
    }
}

fn count(recorded: &[Recorded]) {
    let outcomes =
        [(Recorded::Online, "recorded"), (Recorded::Conflict, "conflict"), (Recorded::Gone, "gone")];
    for (outcome, name) in outcomes {
        let beats = recorded.iter().filter(|recorded| **recorded == outcome).count() as u64;
        metrics::counter!("bellwether_controller_beats_total", "outcome" => name).increment(beats);
    }
}

/// What a beat says, with whatever is too long in it cut.
fn record(beat: Beat) -> AgentRecord {
    let mut record = AgentRecord::from(beat);
    record.version = shortened(record.version);
    record.last_error = record.last_error.map(shortened);
    record
}

fn shortened(text: String) -> String {
    if text.len() <= LONGEST_TEXT { text } else { text.chars().take(LONGEST_TEXT / 4).collect() }
}
