//! What the simulated servers serve, and what their handlers do.

use super::trace::{Step, Trace};
use bellwether_rpc::{Context, Fault, Message, Method, Router};
use serde::{Deserialize, Serialize};
use std::{future::pending, panic::resume_unwind, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Does as it is told, and answers with the number of its call.
pub(crate) struct Work;

impl Method for Work {
    const NAME: &'static str = "Work";
    type Request = Task;
    type Reply = u32;
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

/// The call that a request belongs to.
pub(crate) fn call_of(message: &Message) -> Option<u32> {
    serde_json::from_slice::<Task>(&message.body).ok().map(|task| task.call)
}

/// The handlers of one process; they end with it.
pub(crate) fn router(process: u32, trace: &Trace, killed: &CancellationToken) -> Router {
    let (trace, killed) = (trace.clone(), killed.clone());
    Router::new().on::<Work, _, _>(move |cx: Context, task| {
        let (trace, killed) = (trace.clone(), killed.clone());
        async move {
            let call = task.call;
            trace.note(Step::Started { call, process, redelivered: cx.redelivered });
            tokio::select! {
                biased;
                () = killed.cancelled() => Err(Fault::internal("killed")),
                answer = work(task) => answer,
            }
        }
    })
}

async fn work(task: Task) -> Result<u32, Fault> {
    sleep(Duration::from_millis(task.takes_ms)).await;
    match task.then {
        Then::Answer => Ok(task.call),
        Then::Refuse => Err(Fault::rejected("as told")),
        // Unwinds as a panic does, without a word on stderr ten thousand times.
        Then::Panic => resume_unwind(Box::new("as told")),
        Then::Hang => pending().await,
    }
}
