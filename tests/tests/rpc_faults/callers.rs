//! Callers that never stop calling, and what has become of each call.

use crate::servers::{Handled, WorkClient};
use bellwether_rpc::{Connection, Deadline};
use bellwether_tests::BOUND;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

pub(crate) const COUNT: usize = 256;

/// What each call may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// How late a call may be told of its end: the machine may be busy with anything.
const LATE: Duration = Duration::from_secs(5);

/// How long a caller leaves alone what has failed.
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Callers {
    connection: Connection,
    ends: Arc<Ends>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// How the calls have ended.
#[derive(Default)]
struct Ends {
    next: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    outcomes: BTreeMap<&'static str, usize>,
    /// Calls of which it was said that their handler cannot have run.
    denied: Vec<(u64, String)>,
    /// Calls that went well.
    done: Vec<u64>,
    wrong: Vec<String>,
}

impl Callers {
    pub(crate) fn start(client: WorkClient, connection: Connection) -> Self {
        let (ends, stop, mut tasks) = (Arc::<Ends>::default(), CancellationToken::new(), JoinSet::new());
        for _ in 0..COUNT {
            let (client, ends, stop) = (client.clone(), ends.clone(), stop.clone());
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    if !ends.call(&client).await {
                        sleep(PAUSE).await;
                    }
                }
            });
        }
        Self { connection, ends, stop, tasks }
    }

    pub(crate) fn went_well(&self) -> usize {
        self.ends.seen().done.len()
    }

    /// How many calls have ended so.
    pub(crate) fn ended(&self, outcome: &str) -> usize {
        self.ends.seen().outcomes.get(outcome).copied().unwrap_or_default()
    }

    /// Calls that go well in one second.
    pub(crate) async fn rate(&self) -> usize {
        let before = self.went_well();
        sleep(Duration::from_secs(1)).await;
        self.went_well() - before
    }

    /// Lets every call end.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some_and(|task| task.is_ok()) {} };
        timeout(BOUND, ended).await.expect("every call ends");
        assert!(self.tasks.is_empty(), "a caller has panicked");
        assert_eq!(self.connection.in_flight(), 0, "a waiter has leaked");
    }

    /// Holds what was said of each call to what the handlers have run.
    pub(crate) fn judge(&self, handled: &Handled) {
        let seen = self.ends.seen();
        assert_eq!(seen.wrong, Vec::<String>::new());
        let ran: Vec<_> = seen.denied.iter().filter(|(number, _)| handled.has(*number)).collect();
        assert!(ran.is_empty(), "they have run: {ran:?}");
        let missing: Vec<_> = seen.done.iter().filter(|number| !handled.has(**number)).collect();
        assert!(missing.is_empty(), "they have not run: {missing:?}");
        let ends = seen.outcomes.values().sum::<usize>();
        assert_eq!(
            u64::try_from(ends).ok(),
            Some(self.ends.next.load(Ordering::Relaxed)),
            "one end for each call"
        );
        for outcome in ["ok", "disconnected", "deadline_exceeded", "overloaded"] {
            assert!(seen.outcomes.contains_key(outcome), "none was {outcome}: {:?}", seen.outcomes);
        }
    }
}

impl fmt::Display for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.ends.seen().outcomes)
    }
}

impl Ends {
    /// Makes one call; whether it went well.
    async fn call(&self, client: &WorkClient) -> bool {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let outcome = client.run_once(&number, Deadline::after(DEADLINE)).await;
        let took = began.elapsed();

        let mut seen = self.seen();
        *seen.outcomes.entry(outcome.as_ref().map_or_else(|error| error.name(), |_| "ok")).or_default() += 1;
        if took > DEADLINE + LATE {
            seen.wrong.push(format!("{number} took {took:?}: {outcome:?}"));
        }
        match &outcome {
            Ok(answer) if *answer == number => seen.done.push(number),
            Ok(answer) => seen.wrong.push(format!("{number} was answered with {answer}")),
            Err(error) if error.is_safe_to_resend() => seen.denied.push((number, error.to_string())),
            Err(_) => {}
        }
        outcome.is_ok()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
