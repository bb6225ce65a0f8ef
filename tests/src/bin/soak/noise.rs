//! What nobody in a fleet would send, on all of its queues.

use bellwether_tests::RabbitMq;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::dice::Dice;

const METHODS: [&str; 8] = [
    "OnlineAgent",
    "OfflineAgent",
    "GetIngressConfigs",
    "SetIngressConfig",
    "Resync",
    "Ping",
    "Nonsense",
    "",
];

/// A stranger on the broker.
pub(crate) struct Noise {
    connection: Connection,
    channel: Channel,
    fleet: String,
}

impl Noise {
    pub(crate) async fn connect(rabbitmq: &RabbitMq, fleet: &str) -> Self {
        let url = rabbitmq.url();
        let connecting = Connection::connect(&url, ConnectionProperties::default());
        let connection = connecting.await.expect("connected");
        let channel = connection.create_channel().await.expect("a channel");
        Self { connection, channel, fleet: format!("bellwether.{fleet}") }
    }

    pub(crate) async fn close(self) {
        self.connection.close(200, "done".into()).await.expect("closed");
    }

    /// One message of any kind to any queue.
    pub(crate) async fn make(&mut self, dice: &mut Dice) {
        let (exchange, key) = match dice.below(3) {
            0 => (String::new(), format!("{}.controller", self.fleet)),
            1 => (format!("{}.agent", self.fleet), format!("node-{}", 1 + dice.below(5))),
            _ => (format!("{}.agent.all", self.fleet), String::new()),
        };
        let (properties, body) = (properties(dice), body(dice));
        let options = BasicPublishOptions::default();
        let publishing = self.channel.basic_publish(exchange.into(), key.into(), options, &body, properties);
        publishing.await.expect("published").await.expect("no confirms");
    }
}

fn properties(dice: &mut Dice) -> BasicProperties {
    let mut headers = FieldTable::default();
    let absurd = [
        AMQPValue::LongLongInt(-1),
        AMQPValue::LongString("absurd".into()),
        AMQPValue::Boolean(true),
        AMQPValue::FieldTable(FieldTable::default()),
        AMQPValue::Void,
    ];
    for name in ["bw-protocol", "bw-deadline-ms", "bw-instance", "traceparent"] {
        if dice.below(3) == 0 {
            headers.insert(name.into(), dice.one_of(&absurd).clone());
        }
    }
    let properties = BasicProperties::default().with_headers(headers);
    let properties = match dice.below(8) {
        0 => properties.with_type("reply".into()),
        1 => properties.with_type("fault".into()),
        _ => properties.with_type((*dice.one_of(&METHODS)).into()),
    };
    if dice.below(2) == 0 {
        return properties;
    }
    properties.with_reply_to("nobody.reads.this".into()).with_correlation_id("noise".into())
}

fn body(dice: &mut Dice) -> Vec<u8> {
    match dice.below(6) {
        0 => Vec::new(),
        1 => b"not JSON".to_vec(),
        2 => vec![0xff; 1 << dice.below(20)],
        3 => "[".repeat(100_000).into_bytes(),
        4 => b"{\"name\": 5, \"instance\": \"nobody\", \"revision\": -1}".to_vec(),
        // A process of long ago that claims to be one of ours.
        _ => b"{\"name\": \"node-1\", \"instance\": \"01700000-0000-7000-8000-000000000000\", \"generation\": 1, \
               \"version\": \"old\", \"revision\": 0, \"digest\": \
               \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}"
            .to_vec(),
    }
}
