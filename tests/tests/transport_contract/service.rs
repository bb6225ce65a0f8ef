//! The service that the contract is tried with: its methods, its handlers, and a server that tests can stop.

use std::sync::Arc;
use std::time::Duration;

use bellwether_rpc::{
    Address, CallError, Connection, Context, Deadline, Fault, FaultKind, Generation, Limits, Method, Router,
};
use bellwether_tests::BOUND;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

macro_rules! methods {
    ($($(#[doc = $doc:literal])* $name:ident($request:ty) -> $reply:ty $(, notifiable $notifiable:literal)?;)*) => {$(
        $(#[doc = $doc])*
        pub(crate) struct $name;
        impl Method for $name {
            const NAME: &'static str = stringify!($name);
            $(const NOTIFIABLE: bool = $notifiable;)?
            type Request = $request;
            type Reply = $reply;
        }
    )*};
}

methods! {
    /// Answers what it was asked.
    Echo(String) -> String;
    /// Answers with a fault of this kind.
    Refuse(FaultKind) -> ();
    /// Panics.
    Panic(()) -> ();
    /// Says that it runs, and answers once it is let go.
    Wait(String) -> String;
    /// Says that it came; may come without asking for an answer.
    Note(String) -> (), notifiable true;
    /// Nobody serves it.
    Missing(()) -> ();
}

/// The method `Echo` of a caller who has misunderstood it.
pub(crate) struct EchoOfANumber;

impl Method for EchoOfANumber {
    const NAME: &'static str = Echo::NAME;
    type Request = u32;
    type Reply = String;
}

/// What handlers have seen of `Wait` and `Note`, in order.
pub(crate) type Seen = mpsc::Receiver<(String, Context)>;

/// The handlers of one server: their router, what they see, and the gate that `Wait` waits at.
pub(crate) struct Handlers {
    pub(crate) router: Router,
    pub(crate) seen: Seen,
    pub(crate) gate: Arc<Semaphore>,
}

impl Handlers {
    pub(crate) fn new() -> Self {
        let (sender, seen) = mpsc::channel(4_096);
        let gate = Arc::new(Semaphore::new(0));
        let router = Router::new()
            .on::<Echo, _, _>(|_, text| async move { Ok(text) })
            .on::<Refuse, _, _>(|_, kind| async move { Err(Fault::new(kind, "as you wish")) })
            .on::<Panic, _, _>(|_, ()| async move { panic!("a handler of the test panics") })
            .on::<Wait, _, _>({
                let (sender, gate) = (sender.clone(), gate.clone());
                move |cx, text| {
                    let (sender, gate) = (sender.clone(), gate.clone());
                    async move {
                        let _ = sender.send((text.clone(), cx)).await;
                        let _ = gate.acquire().await;
                        Ok(text)
                    }
                }
            })
            .on::<Note, _, _>(move |cx, text| {
                let sender = sender.clone();
                async move {
                    let _ = sender.send((text, cx)).await;
                    Ok(())
                }
            });
        Self { router, seen, gate }
    }

    /// Lets every `Wait` go, now and later.
    pub(crate) fn open(gate: &Semaphore) {
        gate.close();
    }
}

/// A server that runs until it is stopped.
pub(crate) struct Serving {
    pub(crate) bound: watch::Receiver<Option<Generation>>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Serving {
    /// Serves, and waits until the address reaches the server.
    pub(crate) async fn start(connection: &Connection, address: &Address, router: Router) -> Self {
        Self::limited(connection, address, router, Limits::default()).await
    }

    pub(crate) async fn limited(
        connection: &Connection,
        address: &Address,
        router: Router,
        limits: Limits,
    ) -> Self {
        let server = connection.server(address.clone(), router, limits);
        let stop = CancellationToken::new();
        let mut serving =
            Self { bound: server.bound(), stop: stop.clone(), running: tokio::spawn(server.run(stop)) };
        serving.bound_after(0).await;
        serving
    }

    /// Waits until the server is bound over a connection later than `generation`.
    pub(crate) async fn bound_after(&mut self, generation: Generation) -> Generation {
        let bound = self.bound.wait_for(|bound| bound.is_some_and(|bound| bound > generation));
        let bound = within("the server binds", bound).await.expect("the server runs");
        bound.unwrap_or_default()
    }

    /// Begins to stop.
    pub(crate) fn begin_to_stop(&self) {
        self.stop.cancel();
    }

    /// Stops, and waits until the handlers have finished.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        within("the server stops", self.running).await.expect("the server does not panic");
    }
}

/// The next that a handler sees.
pub(crate) async fn next(seen: &mut Seen) -> (String, Context) {
    within("a handler sees something", seen.recv()).await.expect("the handlers live")
}

/// What is waited for comes, some time.
pub(crate) async fn within<T>(what: &str, coming: impl Future<Output = T>) -> T {
    timeout(BOUND, coming).await.unwrap_or_else(|_| panic!("not within {BOUND:?}: {what}"))
}

/// Far beyond what any call here takes; what ends earlier ends for another reason.
pub(crate) fn long() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

pub(crate) fn short() -> Deadline {
    Deadline::after(Duration::from_millis(300))
}

pub(crate) async fn echo(client: &Connection, address: &Address, text: &str) -> Result<String, CallError> {
    client.call::<Echo>(address, &text.to_owned(), long()).await
}

pub(crate) fn the_service() -> Address {
    Address::shared("calculator")
}

pub(crate) fn the_peer() -> Address {
    Address::peer("abacus", "bead-1")
}

pub(crate) fn assert_fault<T: std::fmt::Debug>(outcome: &Result<T, CallError>, kind: FaultKind) {
    assert!(matches!(outcome, Err(CallError::Fault(fault)) if fault.kind == kind), "{outcome:?}");
}

pub(crate) fn assert_unroutable<T: std::fmt::Debug>(outcome: &Result<T, CallError>) {
    assert!(matches!(outcome, Err(CallError::Unroutable { .. })), "{outcome:?}");
}
