//! What the simulated servers serve, and what their handlers do.

use super::trace::{Step, Trace};
use bellwether_rpc::{Call, Context, Fault, Message, Method, Router};
use serde::{Deserialize, Serialize};
use std::{future::pending, panic::resume_unwind, time::Duration};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// Does as it is told, by a handler that runs beside others.
pub(crate) struct Work;

impl Method for Work {
    const NAME: &'static str = "Work";
    const NOTIFIABLE: bool = true;
    type Request = Task;
    type Reply = Done;
}

/// Does as it is told, in batches.
pub(crate) struct Batch;

impl Method for Batch {
    const NAME: &'static str = "Batch";
    const NOTIFIABLE: bool = true;
    type Request = Task;
    type Reply = Done;
}

/// What a handler is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) call: u32,
    pub(crate) takes_ms: u64,
    pub(crate) then: Then,
}

/// How a handler ends.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Then {
    Answer,
    Refuse,
    Panic,
    Hang,
}

/// What a handler answers: whose call it was, and in which process it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) call: u32,
    pub(crate) by: u32,
}

/// Calls that may wait for the next batch, and how many are dealt with at a time.
const WAITING: usize = 4;
const AT_A_TIME: usize = 3;

/// The call that a request belongs to.
pub(crate) fn call_of(message: &Message) -> Option<u32> {
    serde_json::from_slice::<Task>(&message.body).ok().map(|task| task.call)
}

/// The handlers of one process; they end when it is killed. Each `Batch` goes to the queue.
pub(crate) fn router(
    process: u32,
    trace: &Trace,
    killed: &CancellationToken,
    queue: mpsc::Sender<Call<Batch>>,
) -> Router {
    let (trace, killed) = (trace.clone(), killed.clone());
    Router::new().queued::<Batch>(move |call| call.hand_to(&queue)).on::<Work, _, _>(move |cx, task| {
        let (trace, killed) = (trace.clone(), killed.clone());
        async move {
            note_start(&trace, process, &task, &cx);
            tokio::select! {
                biased;
                () = killed.cancelled() => Err(Fault::internal("killed")),
                answer = work(process, task) => answer,
            }
        }
    })
}

async fn work(process: u32, task: Task) -> Result<Done, Fault> {
    sleep(Duration::from_millis(task.takes_ms)).await;
    match task.then {
        Then::Answer => Ok(Done { call: task.call, by: process }),
        Then::Refuse => Err(Fault::rejected("as told")),
        // Unwinds as a panic does, without a word on stderr ten thousand times.
        Then::Panic => resume_unwind(Box::new("as told")),
        Then::Hang => pending().await,
    }
}

/// The queue of one process, and the task that deals with what is in it until nobody can add to it.
pub(crate) fn batches(process: u32, trace: &Trace, tasks: &mut JoinSet<()>) -> mpsc::Sender<Call<Batch>> {
    let (queue, calls) = mpsc::channel(WAITING);
    tasks.spawn(in_batches(process, trace.clone(), calls));
    queue
}

/// Deals with whatever waits, as long as the longest of it takes.
async fn in_batches(process: u32, trace: Trace, mut calls: mpsc::Receiver<Call<Batch>>) {
    let (mut batch, mut hung) = (Vec::new(), Vec::new());
    while calls.recv_many(&mut batch, AT_A_TIME).await > 0 {
        // Whoever deals with calls later has to look at their deadlines again.
        batch.retain(|call| !call.context.deadline.has_passed(Instant::now()));
        batch.iter().for_each(|call| note_start(&trace, process, &call.request, &call.context));
        let longest = batch.iter().map(|call| call.request.takes_ms / 4).max().unwrap_or_default();
        sleep(Duration::from_millis(longest)).await;
        for call in batch.drain(..) {
            let done = Done { call: call.request.call, by: process };
            match call.request.then {
                Then::Answer => call.answer(Ok(done)).await,
                Then::Refuse => call.answer(Err(Fault::rejected("as told"))).await,
                Then::Panic => drop(call),
                Then::Hang => hung.push(call),
            }
        }
    }
}

fn note_start(trace: &Trace, process: u32, task: &Task, cx: &Context) {
    trace.note(Step::Started { call: task.call, process, redelivered: cx.redelivered });
}
