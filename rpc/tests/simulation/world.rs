//! One run: a broker on which things go wrong, servers that come and go, and callers who call them.

use super::{
    service::{Task, Then, Work, router},
    tap::{Bug, Tap},
    trace::{Entry, Step, Trace},
};
use bellwether_rpc::{
    Address, Connection, Deadline, Limits,
    transport::memory::{Faults, Memory},
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

const CALLERS: u32 = 2;
const CALLS_EACH: u32 = 10;
const SERVERS: u32 = 3;

/// The longest that a message is on its way, and what it may be late by in all: to the broker, and to the handler.
const WAY: Duration = Duration::from_millis(40);
pub(crate) const ON_THE_WIRE: Duration = Duration::from_millis(45);

/// Runs the world of one seed, on a runtime of its own whose time is simulated.
pub(crate) fn run(seed: u64, bug: Option<Bug>) -> Vec<Entry> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        // From here on the clock stands on a tick: before, it stands wherever it was when it was stopped.
        sleep(Duration::from_millis(1)).await;
        World::new(seed, bug).run().await
    })
}

struct World {
    memory: Memory,
    trace: Trace,
    random: StdRng,
    bug: Option<Bug>,
}

/// A process, until it is dropped: then its tasks are gone.
struct Process {
    number: u32,
    connection: Connection,
    killed: CancellationToken,
    drain: CancellationToken,
    tasks: JoinSet<()>,
}

impl World {
    fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        Self { memory: Memory::with_faults(faults(&mut random)), trace: Trace::new(), random, bug }
    }

    async fn run(mut self) -> Vec<Entry> {
        let mut servers: Vec<_> = (0..SERVERS).map(|number| self.server(100 + number)).collect();
        let callers: Vec<_> = (0..CALLERS).map(|number| self.caller(number)).collect();
        let mut next_server = 100 + SERVERS;
        for _ in 0..self.random.random_range(1..6) {
            sleep(Duration::from_millis(self.random.random_range(1..300))).await;
            self.disturb(&mut servers, &callers, &mut next_server).await;
        }
        self.memory.block(None);
        self.memory.calm();
        for mut caller in callers {
            while caller.tasks.join_next().await.is_some() {}
            let in_flight = caller.connection.in_flight();
            self.trace.note(Step::Left { process: caller.number, in_flight });
        }
        self.trace.take()
    }

    /// One thing that happens to a process, or to all of them.
    async fn disturb(&mut self, servers: &mut Vec<Process>, callers: &[Process], next: &mut u32) {
        let victim = self.random.random_range(0..servers.len());
        let outage = Duration::from_millis(self.random.random_range(0..200));
        match self.random.random_range(0..6) {
            0 => {
                let caller = &callers[self.random.random_range(0..callers.len())];
                self.memory.cut_for(caller.connection.instance(), outage);
            }
            1 => self.memory.cut_for(servers[victim].connection.instance(), outage),
            2 => self.memory.block((!outage.is_zero()).then_some("out of memory")),
            3 => self.memory.block(None),
            4 => {
                let killed = servers.swap_remove(victim);
                killed.killed.cancel();
                self.memory.crash(killed.connection.instance());
                self.trace.note(Step::Killed { process: killed.number });
                drop(killed);
                sleep(outage).await;
                servers.push(self.server(*next));
                *next += 1;
            }
            _ => {
                let mut drained = servers.swap_remove(victim);
                drained.drain.cancel();
                servers.push(self.server(*next));
                *next += 1;
                drained.tasks.join_next().await;
            }
        }
    }

    fn process(&self, number: u32) -> Process {
        let tap = Tap::new(self.memory.connect(), number, self.trace.clone(), self.bug);
        Process {
            number,
            connection: Connection::new(Arc::new(tap)),
            killed: CancellationToken::new(),
            drain: CancellationToken::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Serves the shared queue, and a name of its own.
    fn server(&mut self, number: u32) -> Process {
        let mut process = self.process(number);
        let limits = Limits {
            concurrency: self.random.random_range(1..4),
            prefetch: self.random.random_range(1..8),
            drain: Duration::from_millis(self.random.random_range(0..500)),
            ..Limits::default()
        };
        for address in [Address::shared("work"), Address::peer("work", number.to_string())] {
            let router = router(number, &self.trace, &process.killed);
            let server = process.connection.server(address, router, limits.clone());
            process.tasks.spawn(server.run(process.drain.clone()));
        }
        process
    }

    /// Makes all its calls by itself, several at a time.
    fn caller(&mut self, number: u32) -> Process {
        let mut process = self.process(number);
        for n in 0..CALLS_EACH {
            let call = self.call(number * CALLS_EACH + n, process.connection.clone());
            process.tasks.spawn(call);
        }
        process
    }

    fn call(&mut self, call: u32, connection: Connection) -> impl Future<Output = ()> + use<> {
        let random = &mut self.random;
        let pause = Duration::from_millis(random.random_range(0..600));
        let allowed = Duration::from_micros(random.random_range(0..900_000));
        let dropped_after = random.random_bool(0.15).then(|| allowed.mul_f64(random.random()));
        let address = match random.random_range(0..3) {
            0 => Address::peer("work", (100 + random.random_range(0..SERVERS + 2)).to_string()),
            _ => Address::shared("work"),
        };
        let task = Task { call, takes_ms: random.random_range(0..120), then: then(random) };
        let (trace, bug) = (self.trace.clone(), self.bug);
        async move {
            sleep(pause).await;
            let deadline = Deadline::at(Instant::now() + allowed);
            trace.note(Step::Called { call, deadline: trace.since_start(deadline.instant()) });
            let Some(patience) = dropped_after else {
                let outcome = connection.call::<Work>(&address, &task, deadline).await;
                return trace.note(Step::Ended { call, outcome });
            };
            if bug == Some(Bug::WaiterLeaked) {
                let mut calling =
                    Box::pin(async move { connection.call::<Work>(&address, &task, deadline).await });
                match timeout(patience, &mut calling).await {
                    Ok(outcome) => trace.note(Step::Ended { call, outcome }),
                    Err(_) => {
                        std::mem::forget(calling);
                        trace.note(Step::Dropped { call });
                    }
                }
                return;
            }
            let outcome = {
                let calling = pin!(connection.call::<Work>(&address, &task, deadline));
                timeout(patience, calling).await
            };
            trace.note(match outcome {
                Ok(outcome) => Step::Ended { call, outcome },
                Err(_) => Step::Dropped { call },
            });
        }
    }
}

fn then(random: &mut StdRng) -> Then {
    match random.random_range(0..20) {
        0 => Then::Hang,
        1 => Then::Panic,
        2 => Then::Refuse,
        _ => Then::Answer,
    }
}

/// Some worlds are quiet, some are not.
fn faults(random: &mut StdRng) -> Faults {
    let seed = random.next_u64();
    let mut chance = |most: f64| if random.random() { random.random_range(0.0..most) } else { 0.0 };
    let (loss, duplicate, cancel, cut) = (chance(0.2), chance(0.3), chance(0.2), chance(0.1));
    let delay = Duration::ZERO..=random.random_range(Duration::ZERO..WAY);
    let outage = Duration::ZERO..=Duration::from_millis(300);
    Faults { loss, delay, duplicate, cancel, cut, outage, ..Faults::seeded(seed) }
}
