//! What `#[service]` makes of a trait: a client, a dispatch, a method table; and how its versions get along.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwether_rpc::transport::memory::Memory;
use bellwether_rpc::{
    Address, Call, CallError, Connection, Context, Deadline, Fault, FaultKind, Limits, Method, Peer, Router,
    service,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Keeps notes.
#[service]
pub trait Notebook {
    /// Adds what two numbers are together.
    async fn add(&self, cx: &Context, numbers: (u32, u32)) -> Result<u32, Fault>;

    /// Remembers a note.
    #[method(name = "Remember", notification)]
    async fn note(&self, cx: &Context, text: String) -> Result<(), Fault>;

    /// Says how many notes there are.
    async fn count(&self, cx: &Context) -> Result<usize, Fault>;

    /// Is dealt with in batches.
    #[method(queued, notification)]
    async fn tick(&self, cx: &Context, at: u64) -> Result<u64, Fault>;
}

struct Desk {
    notes: Arc<Mutex<Vec<String>>>,
    ticks: mpsc::Sender<Call<Tick>>,
}

impl Notebook for Desk {
    async fn add(&self, _cx: &Context, (a, b): (u32, u32)) -> Result<u32, Fault> {
        a.checked_add(b).ok_or_else(|| Fault::rejected("too large"))
    }

    async fn note(&self, cx: &Context, text: String) -> Result<(), Fault> {
        let manner = if cx.notification { "told" } else { "asked" };
        self.notes.lock().expect("no panic").push(format!("{text}, {manner}"));
        Ok(())
    }

    async fn count(&self, _cx: &Context) -> Result<usize, Fault> {
        Ok(self.notes.lock().expect("no panic").len())
    }

    fn tick(&self, call: Call<Tick>) {
        call.hand_to(&self.ticks);
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

/// A peer that serves until the guard is dropped.
async fn serve(hub: &Memory, address: Address, router: Router) -> (Connection, DropGuard) {
    let connection = Connection::new(hub.connect());
    let server = connection.server(address, router, Limits::default());
    let (mut bound, stop) = (server.bound(), CancellationToken::new());
    tokio::spawn(server.run(stop.clone()));
    bound.wait_for(Option::is_some).await.expect("it binds");
    (connection, stop.drop_guard())
}

#[tokio::test]
async fn a_trait_becomes_a_client_and_a_server() {
    let (hub, notes) = (Memory::new(), Arc::default());
    let (ticks, mut queue) = mpsc::channel(8);
    let desk = Desk { notes: Arc::clone(&notes), ticks };
    let address = Address::shared("notebook");
    let _serving = serve(&hub, address.clone(), desk.router()).await;
    let client = NotebookClient::new(Connection::new(hub.connect()), address);

    assert_eq!(client.add(&(2, 3), soon()).await, Ok(5));
    let refused = client.add(&(u32::MAX, 1), soon()).await;
    assert_eq!(refused, Err(CallError::from(Fault::rejected("too large"))));
    assert_eq!(client.note(&"one".to_owned(), soon()).await, Ok(()));
    assert_eq!(client.count(soon()).await, Ok(1));
    assert_eq!(*notes.lock().unwrap(), ["one, asked"]);

    let ticking = tokio::spawn({
        let client = client.clone();
        async move { client.tick(&7, soon()).await }
    });
    let call = queue.recv().await.expect("the call itself comes");
    let answer = call.request * 2;
    call.answer(Ok(answer)).await;
    assert_eq!(ticking.await.expect("no panic"), Ok(14));
    client.notify_tick(&8, soon()).await.expect("it is sent");
    assert!(queue.recv().await.is_some_and(|call| call.request == 8 && call.context.notification));
}

#[test]
fn methods_have_their_names_on_the_wire_and_say_what_may_be_a_notification() {
    assert_eq!(NotebookClient::METHODS, ["Add", "Count", "Remember", "Tick"]);
    assert_eq!((Note::NAME, Note::NOTIFIABLE), ("Remember", true));
    assert_eq!((Add::NAME, Add::NOTIFIABLE), ("Add", false));
}

#[tokio::test]
async fn everyone_is_called_through_a_client_of_their_own() {
    let hub = Memory::new();
    let mut peers = Vec::new();
    let mut servings = Vec::new();
    for name in ["a", "b", "c"] {
        let desk = Desk { notes: Arc::default(), ticks: mpsc::channel(1).0 };
        let serving = serve(&hub, Address::peer("notebook", name), desk.router()).await;
        peers.push(Peer::new(name, serving.0.instance()));
        servings.push(serving);
    }
    let everyone = EveryNotebook::new(Connection::new(hub.connect()), "notebook");
    let mut outcomes = everyone.add(&(2, 3), peers, soon()).await.expect("it is sent");
    let mut answered = Vec::new();
    while let Some((peer, outcome)) = outcomes.next().await {
        assert_eq!(outcome, Ok(5));
        answered.push(peer.name);
    }
    answered.sort();
    assert_eq!(answered, ["a".into(), "b".into(), "c".into()]);
}

/// The same service, before and after it grew.
mod old {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Basket {
        pub(crate) item: String,
    }

    #[service]
    pub(crate) trait Shop {
        /// Takes an order.
        async fn order(&self, cx: &Context, order: Basket) -> Result<String, Fault>;
    }
}

mod new {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Basket {
        pub(crate) item: String,
        #[serde(default)]
        pub(crate) urgent: bool,
    }

    #[service]
    pub(crate) trait Shop {
        /// Takes an order.
        async fn order(&self, cx: &Context, order: Basket) -> Result<String, Fault>;

        /// Takes it back.
        async fn cancel(&self, cx: &Context) -> Result<(), Fault>;
    }
}

struct Counter;

impl old::Shop for Counter {
    async fn order(&self, _cx: &Context, order: old::Basket) -> Result<String, Fault> {
        Ok(order.item)
    }
}

impl new::Shop for Counter {
    async fn order(&self, _cx: &Context, order: new::Basket) -> Result<String, Fault> {
        Ok(format!("{}, {}", order.item, order.urgent))
    }

    async fn cancel(&self, _cx: &Context) -> Result<(), Fault> {
        Ok(())
    }
}

#[tokio::test]
async fn a_new_field_and_a_new_method_break_no_older_peer() {
    let hub = Memory::new();
    let (before, after) = (Address::shared("before"), Address::shared("after"));
    let _old = serve(&hub, before.clone(), old::Shop::router(Counter)).await;
    let _new = serve(&hub, after.clone(), new::Shop::router(Counter)).await;
    for encoding in [bellwether_rpc::Encoding::Json, bellwether_rpc::Encoding::MessagePack] {
        let connection = Connection::new(hub.connect()).encoding(encoding);
        let to_old = new::ShopClient::new(connection.clone(), before.clone());
        let order = new::Basket { item: "tea".into(), urgent: true };
        assert_eq!(to_old.order(&order, soon()).await.as_deref(), Ok("tea"));
        let unknown = to_old.cancel(soon()).await;
        assert!(matches!(unknown, Err(CallError::Fault(fault)) if fault.kind == FaultKind::UnknownMethod));

        let to_new = old::ShopClient::new(connection, after.clone());
        let answer = to_new.order(&old::Basket { item: "tea".into() }, soon()).await;
        assert_eq!(answer.as_deref(), Ok("tea, false"));
    }
}
