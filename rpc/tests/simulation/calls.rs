//! What callers do: one call or notification each, to one process or to all, and some of them are dropped.

use super::{
    directory::Directory,
    service::{Batch, Done, Task, Then, Work},
    tap::Bug,
    trace::{Step, Trace, Whom},
};
use bellwether_rpc::{Address, CallError, Connection, Deadline, Method, Outcomes, Peer};
use rand::{RngExt, rngs::StdRng};
use std::{mem::forget, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// What is asked for, and when; drawn before the run begins.
pub(crate) struct Plan {
    task: Task,
    pause: Duration,
    allowed: Duration,
    dropped_after: Option<Duration>,
    target: Target,
    notification: bool,
    queued: bool,
}

/// Whom it is for. Which processes that are is seen when it is made.
enum Target {
    One(Address),
    /// The `n`th of those that share a name, from the latest back.
    Instance(usize),
    /// Everyone; so many, the latest ones, are expected to answer.
    Everyone(usize),
}

impl Plan {
    pub(crate) fn draw(call: u32, random: &mut StdRng) -> Self {
        let allowed = Duration::from_micros(random.random_range(0..900_000));
        Self {
            pause: Duration::from_millis(random.random_range(0..600)),
            dropped_after: random.random_bool(0.15).then(|| allowed.mul_f64(random.random())),
            allowed,
            target: Target::draw(random),
            notification: random.random_bool(0.2),
            queued: random.random_bool(0.3),
            task: Task { call, takes_ms: random.random_range(0..120), then: Then::draw(random) },
        }
    }
}

impl Target {
    fn draw(random: &mut StdRng) -> Self {
        match random.random_range(0..8) {
            0..4 => Self::One(Address::shared("work")),
            4 => Self::One(Address::peer("work", random.random_range(100..105_u32).to_string())),
            5 => Self::Instance(random.random_range(0..3)),
            _ => Self::Everyone(random.random_range(1..5)),
        }
    }
}

impl Then {
    fn draw(random: &mut StdRng) -> Self {
        match random.random_range(0..20) {
            0 => Self::Hang,
            1 => Self::Panic,
            2 => Self::Refuse,
            _ => Self::Answer,
        }
    }
}

/// One process that calls.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) connection: Connection,
    pub(crate) servers: Directory,
    pub(crate) trace: Trace,
    pub(crate) bug: Option<Bug>,
}

impl Caller {
    pub(crate) async fn follow(self, plan: Plan) {
        sleep(plan.pause).await;
        if plan.queued { self.make::<Batch>(plan).await } else { self.make::<Work>(plan).await }
    }

    /// Makes the call, unless it is dropped before it ends.
    async fn make<M: Method<Request = Task, Reply = Done>>(self, plan: Plan) {
        let Plan { task, allowed, dropped_after, target, notification, queued, .. } = plan;
        let (call, trace, bug) = (task.call, self.trace.clone(), self.bug);
        let deadline = Deadline::at(Instant::now() + allowed);
        let (address, whom, peers) = self.look_up(target);
        let by = trace.since_start(deadline.instant());
        trace.note(Step::Called { call, whom, notification, queued, deadline: by });
        let mut asking = Box::pin(self.ask::<M>(address, peers, notification, task, deadline));
        let Some(patience) = dropped_after else { return asking.await };
        if timeout(patience, &mut asking).await.is_err() {
            trace.note(Step::Dropped { call });
            if bug == Some(Bug::WaiterLeaked) {
                forget(asking);
            }
        }
    }

    fn look_up(&self, target: Target) -> (Address, Whom, Vec<Peer>) {
        match target {
            Target::One(address) => (address, Whom::One, Vec::new()),
            Target::Instance(n) => {
                let (number, instance) =
                    self.servers.nth_latest(n).expect("as many servers are started first");
                (Address::peer("twins", "one").at_instance(instance), Whom::Instance(number), Vec::new())
            }
            Target::Everyone(n) => {
                let (numbers, peers) = self.servers.latest(n).into_iter().unzip();
                (Address::everyone("work"), Whom::Everyone(numbers), peers)
            }
        }
    }

    /// Asks, and notes each outcome when it comes.
    async fn ask<M: Method<Request = Task, Reply = Done>>(
        self,
        address: Address,
        peers: Vec<Peer>,
        notification: bool,
        task: Task,
        deadline: Deadline,
    ) {
        let call = task.call;
        if notification {
            let told = self.connection.notify::<M>(&address, &task, deadline).await;
            return self.note_end(call, None, told.map(|()| None));
        }
        let Address::Everyone { service } = &address else {
            let outcome = self.connection.call::<M>(&address, &task, deadline).await;
            return self.note_end(call, None, outcome.map(Some));
        };
        match self.connection.call_everyone::<M>(service, &task, peers, deadline).await {
            Ok(outcomes) => self.hear_all(call, outcomes).await,
            Err(error) => self.note_end(call, None, Err(error)),
        }
    }

    async fn hear_all<M: Method<Reply = Done>>(&self, call: u32, mut outcomes: Outcomes<M>) {
        while let Some((peer, outcome)) = outcomes.next().await {
            let peer = peer.name.parse().expect("a peer's name is its number");
            self.note_end(call, Some(peer), outcome.map(Some));
        }
    }

    fn note_end(&self, call: u32, peer: Option<u32>, outcome: Result<Option<Done>, CallError>) {
        self.trace.note(Step::Ended { call, peer, outcome });
    }
}
