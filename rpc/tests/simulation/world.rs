//! One run: a broker on which things go wrong, servers that come and go, and callers who call them.

use super::{
    calls::{Caller, Plan},
    counted::Counted,
    directory::Directory,
    service::{batches, router},
    tap::{Bug, Tap},
    trace::{Entry, Step, Trace},
};
use bellwether_rpc::{
    Address, Connection, Limits,
    transport::memory::{Faults, Memory},
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

const CALLERS: u32 = 2;
const CALLS_EACH: u32 = 10;
const SERVERS: u32 = 3;

/// The longest that a message is on its way, and what it may be late by in all: to the broker, and to the handler.
const WAY: Duration = Duration::from_millis(40);
pub(crate) const ON_THE_WIRE: Duration = Duration::from_millis(45);

/// By then every handler that ends has ended, and its answer has come.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// Runs the world of one seed, on a runtime of its own whose time is simulated.
pub(crate) fn run(seed: u64, bug: Option<Bug>) -> Vec<Entry> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let counted = Counted::default();
    let running = async {
        // From here on the clock stands on a tick: before, it stands wherever it was when it was stopped.
        sleep(Duration::from_millis(1)).await;
        World::new(seed, bug).run(&counted).await
    };
    metrics::with_local_recorder(&counted, || runtime.expect("a runtime").block_on(running))
}

struct World {
    memory: Memory,
    trace: Trace,
    random: StdRng,
    servers: Directory,
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

impl Process {
    async fn ends_by_itself(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl World {
    fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let memory = Memory::with_faults(faults(&mut random));
        Self { memory, trace: Trace::new(), random, servers: Directory::default(), bug }
    }

    async fn run(mut self, counted: &Counted) -> Vec<Entry> {
        let mut servers: Vec<_> = (0..SERVERS).map(|number| self.server(100 + number)).collect();
        let mut callers: Vec<_> = (0..CALLERS).map(|number| self.caller(number)).collect();
        let mut next_server = 100 + SERVERS;
        for _ in 0..self.random.random_range(1..6) {
            sleep(Duration::from_millis(self.random.random_range(1..300))).await;
            self.disturb(&mut servers, &callers, &mut next_server).await;
        }
        self.memory.block(None);
        self.memory.calm();
        for caller in &mut callers {
            caller.ends_by_itself().await;
            let in_flight = caller.connection.in_flight();
            self.trace.note(Step::Left { process: caller.number, in_flight });
        }
        drop(servers);
        sleep(AFTERWARDS).await;
        self.trace.note(Step::Ignored { answers: counted.answers_dropped() });
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
                drained.ends_by_itself().await;
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

    /// Serves the shared queue, a name of its own, and one that all servers have.
    fn server(&mut self, number: u32) -> Process {
        let mut process = self.process(number);
        self.servers.add(number, process.connection.instance());
        let limits = Limits {
            concurrency: self.random.random_range(1..4),
            prefetch: self.random.random_range(1..8),
            drain: Duration::from_millis(self.random.random_range(0..500)),
            ..Limits::default()
        };
        let queue = batches(number, &self.trace, &mut process.tasks);
        let own = Address::peer("work", number.to_string());
        for address in [Address::shared("work"), own, Address::peer("twins", "one")] {
            let router = router(number, &self.trace, &process.killed, queue.clone());
            let server = process.connection.server(address, router, limits.clone());
            process.tasks.spawn(server.run(process.drain.clone()));
        }
        process
    }

    /// Makes all its calls by itself, several at a time.
    fn caller(&mut self, number: u32) -> Process {
        let mut process = self.process(number);
        let caller = Caller {
            connection: process.connection.clone(),
            servers: self.servers.clone(),
            trace: self.trace.clone(),
            bug: self.bug,
        };
        for n in 0..CALLS_EACH {
            let plan = Plan::draw(number * CALLS_EACH + n, &mut self.random);
            process.tasks.spawn(caller.clone().follow(plan));
        }
        process
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
