//! What a lost, a blocked and a closed link mean for calls and servers.

use bellwether_rpc::{CallError, Connection, Deadline, Link};
use bellwether_tests::eventually;
use std::time::Duration;
use tokio::task::JoinHandle;

use crate::fixture::Broker;
use crate::service::{Echo, Handlers, Note, Serving, Wait, echo, long, next, the_peer, the_service, within};

type Calling = JoinHandle<Result<String, CallError>>;

fn wait(client: &Connection) -> Calling {
    let client = client.clone();
    tokio::spawn(async move { client.call::<Wait>(&the_service(), &"waits".into(), long()).await })
}

async fn outcome(calling: Calling) -> Result<String, CallError> {
    within("the call ends", calling).await.expect("no panic")
}

pub(crate) async fn a_cut_link_fails_calls_in_flight_as_disconnected(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let calls: Vec<_> = (0..10).map(|_| wait(&client)).collect();
    for _ in &calls {
        next(&mut handlers.seen).await;
    }
    broker.cut(client.instance()).await;
    for calling in calls {
        assert_eq!(outcome(calling).await, Err(CallError::Disconnected));
    }
    // The handlers answer to nobody, and nobody minds.
    Handlers::open(&handlers.gate);
    assert_eq!(echo(&client, &the_service(), "again").await.as_deref(), Ok("again"));
}

pub(crate) async fn a_server_whose_link_was_cut_binds_again_by_itself(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut shared = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let mut peer = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    for _ in 0..2 {
        let before = shared.bound.borrow().unwrap_or_default();
        broker.cut(server.instance()).await;
        let (one, other) = tokio::join!(shared.bound_after(before), peer.bound_after(before));
        assert_eq!((one > before, other > before), (true, true));
        for address in [the_service(), the_peer()] {
            assert_eq!(echo(&client, &address, "back").await.as_deref(), Ok("back"));
        }
    }
}

/// A call made at any moment of a reconnect ends in its answer, or as one that may have been sent.
pub(crate) async fn calls_made_while_disconnected_wait_for_the_link(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let before = client.link().borrow().generation().unwrap_or_default();
    let calling = tokio::spawn({
        let client = client.clone();
        async move {
            let mut answered_after = 0;
            while answered_after < 20 {
                let generation = client.link().borrow().generation();
                match client.call::<Echo>(&the_service(), &"well".into(), long()).await {
                    Ok(_) if generation.is_some_and(|generation| generation > before) => answered_after += 1,
                    Ok(_) => {}
                    // In flight, or being sent, when the link was cut.
                    Err(CallError::Disconnected) => {
                        assert_ne!(generation, None, "it had not been sent, for there was no link");
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    });
    broker.cut(client.instance()).await;
    within("calls are answered again", calling).await.expect("every outcome is right");
}

pub(crate) async fn a_message_to_oneself_comes_back_over_every_link(broker: impl Broker) {
    let client = broker.connection().await;
    assert_eq!(client.round_trip(long()).await, Ok(()));
    broker.cut(client.instance()).await;
    eventually("it comes back over the next link", async || client.round_trip(long()).await).await;
    assert_eq!(client.in_flight(), 0);
    client.close().await;
    assert_eq!(client.round_trip(long()).await, Err(CallError::Disconnected));
}

pub(crate) async fn close_fails_calls_in_flight_and_calls_to_come(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let calling = wait(&client);
    next(&mut handlers.seen).await;
    within("it closes", client.close()).await;
    assert_eq!(outcome(calling).await, Err(CallError::Disconnected));
    assert_eq!(*client.link().borrow(), Link::Closed);
    assert_eq!(echo(&client, &the_service(), "late").await, Err(CallError::Disconnected));
    let noted = client.notify::<Note>(&the_service(), &"late".into(), long()).await;
    assert_eq!(noted, Err(CallError::Disconnected));
    within("it closes again", client.close()).await;
}

pub(crate) async fn a_server_on_a_closed_link_still_stops(broker: impl Broker) {
    let server = broker.connection().await;
    let serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    server.close().await;
    serving.stop().await;
}

/// Needs a broker of its own: everybody else would be blocked too.
pub(crate) async fn a_blocked_broker_refuses_new_calls_as_overloaded_and_takes_them_again(
    broker: impl Broker,
) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    assert!(echo(&client, &the_service(), "before").await.is_ok());

    for round in 0..2 {
        broker.block(true).await;
        // A broker says that it takes nothing only to who has sent it something: that call is of unknown outcome.
        let a_moment = || Deadline::after(Duration::from_millis(500));
        eventually("a call is refused", async || {
            match client.call::<Echo>(&the_service(), &"refused".into(), a_moment()).await {
                Err(CallError::Overloaded { .. }) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        assert!(matches!(&*client.link().borrow(), Link::Blocked { .. }), "round {round}");
        // At once, also where nothing has ever been sent before.
        for address in [the_service(), the_peer()] {
            let refused = echo(&client, &address, "refused").await;
            assert!(matches!(refused, Err(CallError::Overloaded { .. })), "{refused:?}");
        }
        let noted = client.notify::<Note>(&the_service(), &"refused".into(), long()).await;
        assert!(matches!(noted, Err(CallError::Overloaded { .. })), "{noted:?}");
        let there_and_back = client.round_trip(long()).await;
        assert!(matches!(there_and_back, Err(CallError::Overloaded { .. })), "{there_and_back:?}");
        assert_eq!(client.in_flight(), 0);

        broker.block(false).await;
        eventually("calls are taken again", async || echo(&client, &the_service(), "after").await).await;
        assert!(matches!(&*client.link().borrow(), Link::Up { .. }), "round {round}");
    }
}
