//! Messages that no AMQP client of ours could read: they lose what cannot be read, are dropped like other nonsense, and
//! cost nobody the connection.

use std::time::Duration;

use bellwether_tests::{Answer, Fleet, Launch, Port, RabbitMq, eventually};

use crate::is_whole;
use crate::measured::{counted, page};

/// What the script may take.
const SCRIPT: Duration = Duration::from_secs(60);

/// Texts that are not UTF-8, in the properties and the routing key; tables within tables within tables; more properties
/// than fit into an agent's frame.
const SEND: &str = "
import os, pika, sys
sys.setrecursionlimit(100000)
connection = pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL']))
channel = connection.channel()
deep = None
for _ in range(1000):
    deep = {'t': [deep]}
namespace = 'bellwether.' + os.environ['FLEET'] + '.'
controller, agent, everyone = ('', namespace + 'controller'), (namespace + 'agent', 'node-1'), (namespace + 'agent.all', '')
for exchange, key in controller, agent, everyone:
    for properties in (
        dict(type=b'\\xff\\xfe'),
        dict(type='Ping', correlation_id=b'\\xff', reply_to=b'\\xff'),
        dict(type='Ping', headers={'deep': deep}),
        dict(type='Ping', headers={'long': 'x' * 100000}),
    ):
        channel.basic_publish(exchange, key, b'{}', pika.BasicProperties(**properties))
channel.basic_publish(everyone[0], b'\\xff\\xfe', b'{}', pika.BasicProperties(type='Ping'))
connection.close()
";
/// So many of them for each who gets them: an agent two sorts of them twice, and the last of the script.
const TO_CONTROLLERS: u64 = 4;
const TO_NODE_1: u64 = 9;

#[tokio::test]
async fn what_no_client_could_read_is_dropped_and_costs_nobody_the_connection() {
    let (rabbitmq, health) = (RabbitMq::shared().await, Port::claim());
    let fleet =
        Fleet::shared().await.agent("node-1", &["--health-listen", &health.address()]).agent("node-2", &[]);
    let fleet = fleet.start().await;
    let controllers = async || {
        let pages = [0, 1].map(|index| fleet.controller(index).get("/metrics"));
        let [one, other] = pages;
        page(one.await) + &page(other.await)
    };
    let agent = async || page(Answer::to_get(&format!("http://{}/metrics", health.address())).await);
    fleet
        .nobody_is_called_offline_while(async {
            let script = Launch::program("/usr/bin/python3").args(["-c", SEND]);
            let script = script.env("AMQP_URL", rabbitmq.url()).env("FLEET", fleet.name());
            let sent = script.run_to_end(SCRIPT).await;
            assert_eq!(sent.code, 0, "{sent:?}");
            eventually("all of it is dropped", async || {
                let dropped = |page: &str| counted(page, "bellwether_rpc_requests_dropped_total", &[]);
                let dropped = (dropped(&controllers().await), dropped(&agent().await));
                if dropped == (TO_CONTROLLERS, TO_NODE_1) { Ok(()) } else { Err(format!("{dropped:?}")) }
            })
            .await;
            is_whole(&fleet).await;
        })
        .await;
    for page in [controllers().await, agent().await] {
        assert_eq!(counted(&page, "bellwether_rpc_connections_lost_total", &[]), 0, "{page}");
    }
}
