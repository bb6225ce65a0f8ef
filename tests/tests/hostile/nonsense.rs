//! Every kind of nonsense, sent to a controller and to an agent: each is refused or dropped as it deserves, the next
//! message is served, and in the end nothing is left of it.

use std::time::Instant;

use bellwether_tests::{Answer, Fleet, Port, RabbitMq, eventually};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, DecimalValue, FieldTable};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::is_whole;
use crate::measured::{counted, memory, page};
use crate::stranger::{Stranger, Target, bare};

const MB: usize = 1_000_000;
/// Messages of the flood, and of each of its waves. The next waits for the one before: a beat that stands behind more
/// noise than a controller drops within the beat's own second is lost, which a busy machine must not make of it.
const FLOOD: u64 = 20_000;
const WAVE: u64 = 1_000;
/// How long the same complaint is not repeated.
const QUIET_SECONDS: u64 = 10;
/// What a program may grow by, and what it may take in between, in MiB.
const GROWTH: u64 = 128;
const PEAK: u64 = 384;

/// What a message deserves.
enum Deserves {
    /// This fault.
    Fault(&'static str),
    /// No answer, though it asks for one, and to be counted under this reason.
    Nothing(&'static str),
    /// To be handled as if nothing were odd about it.
    Reply,
}

/// A server under fire.
struct Victim {
    target: Target,
    metrics: String,
    /// A method with fields that have to be there.
    strict: &'static str,
    /// A request that makes sense.
    good: (&'static str, Value),
}

struct Nonsense {
    what: String,
    properties: BasicProperties,
    body: Vec<u8>,
    deserves: Deserves,
}

fn nonsense(victim: &Victim) -> Vec<Nonsense> {
    let (good, good_body) = (victim.good.0, victim.good.1.to_string());
    let mut list = Vec::new();
    let mut add = |what: &str, properties, body: &[u8], deserves| {
        list.push(Nonsense { what: what.to_owned(), properties, body: body.to_vec(), deserves });
    };
    let bad = || Deserves::Fault("BadRequest");
    for (what, body) in [
        ("nothing", &b""[..]),
        ("no JSON", b"{nonsense"),
        ("no UTF-8", b"\xff\xfe\x00\x01"),
        ("null", b"null"),
        ("an array", b"[[], {}]"),
        ("a number", b"1e999"),
        ("no fields", b"{}"),
        ("a field twice", br#"{"name": "a", "name": "a"}"#),
        ("arrays without end", &[b'['; 100_000]),
        ("objects without end", "{\"a\":".repeat(100_000).as_bytes()),
        ("20 MB", &vec![b' '; 20 * MB]),
        ("20 MB of arrays", "[],".repeat(20 * MB / 3).as_bytes()),
    ] {
        add(what, bare(victim.strict), body, bad());
    }
    let packed = || bare(victim.strict).with_content_type("application/vnd.msgpack".into());
    for (what, body) in [
        ("no MessagePack", &b"{}"[..]),
        ("packed arrays without end", &[0x91; 60_000]),
        ("packed maps without end", &[0x81, 0xa1, b'a'].repeat(20_000)),
        ("an array that says it is long", b"\xdd\xff\xff\xff\xff"),
        ("a text that says it is long", b"\x81\xdb\xff\xff\xff\xffx"),
        ("a packed extension", b"\xc9\xff\xff\xff\xff\x01"),
    ] {
        add(what, packed(), body, bad());
    }
    let deep =
        format!("{},\"odd\":{}{}}}", good_body.trim_end_matches('}'), "[".repeat(100), "]".repeat(100));
    add("an odd field", bare(good), deep.replace("{,", "{").as_bytes(), Deserves::Reply);

    let unknown = || Deserves::Fault("UnknownMethod");
    add("no type", BasicProperties::default(), b"{}", unknown());
    add("an unknown type", bare("Nonsense"), b"{}", unknown());
    add("a type of control characters", bare("\u{1b}[31m\n\0"), b"{}", unknown());
    add("a long type", bare(&"x".repeat(255)), b"{}", unknown());

    for answer in ["reply", "fault"] {
        add("an answer", bare(answer), b"{}", Deserves::Nothing("answer_on_a_request_queue"));
    }

    let header = |name: &str, value| bare(good).with_headers(table([(name.to_owned(), value)]));
    let good_body = good_body.as_bytes();
    add("a protocol to come", header("bw-protocol", AMQPValue::LongLongInt(i64::MAX)), good_body, bad());
    let elsewhere = AMQPValue::LongString(Uuid::now_v7().to_string().into());
    add("another instance", header("bw-instance", elsewhere), good_body, Deserves::Fault("Unavailable"));
    for name in ["bw-protocol", "bw-deadline-ms", "bw-instance", "traceparent", "x-death"] {
        for absurd in absurdities() {
            let what = format!("{name} of the type {:?}", absurd.get_type());
            add(&what, header(name, absurd), good_body, Deserves::Reply);
        }
    }
    let many = (0..1_000).map(|index| (format!("h{index}"), AMQPValue::Void));
    add("a thousand headers", bare(good).with_headers(table(many)), good_body, Deserves::Reply);
    add("a picture", bare(good).with_content_type("image/png".into()), good_body, bad());
    let odd = bare(good).with_content_type("application/json;".into()).with_content_encoding("gzip".into());
    let odd = odd.with_delivery_mode(2).with_priority(255).with_app_id("nobody".into());
    let odd = odd.with_message_id("".into()).with_cluster_id("x".into()).with_timestamp(u64::MAX);
    add("odd properties", odd, good_body, Deserves::Reply);
    list
}

fn absurdities() -> Vec<AMQPValue> {
    let nested = (0..6).fold(AMQPValue::Void, |inner, _| {
        AMQPValue::FieldTable(table([("t".to_owned(), AMQPValue::FieldArray(vec![inner].into()))]))
    });
    vec![
        AMQPValue::Boolean(true),
        AMQPValue::Float(f32::MAX),
        AMQPValue::Double(f64::MIN),
        AMQPValue::DecimalValue(DecimalValue { scale: 255, value: u32::MAX }),
        AMQPValue::LongLongInt(i64::MIN),
        AMQPValue::Timestamp(u64::MAX),
        AMQPValue::LongString(vec![0xff; 1_000].into()),
        AMQPValue::ByteArray(vec![0; 1_000].into()),
        nested,
    ]
}

fn table(entries: impl IntoIterator<Item = (String, AMQPValue)>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(name.into(), value);
    }
    table
}

impl Victim {
    async fn page(&self, fleet: &Fleet) -> String {
        if self.metrics.is_empty() {
            return page(fleet.controller(0).get("/metrics").await);
        }
        page(Answer::to_get(&self.metrics).await)
    }

    async fn serves(&self, stranger: &Stranger, after: &str) {
        let (method, body) = &self.good;
        let (kind, answer) = stranger.ask(&self.target, bare(method), body.to_string().as_bytes()).await;
        assert_eq!(kind, "reply", "after {after}: {answer}");
    }

    async fn gets_what_it_deserves(&self, fleet: &Fleet, stranger: &Stranger, nonsense: Nonsense) {
        let Nonsense { what, properties, body, deserves } = nonsense;
        match deserves {
            Deserves::Fault(fault) => {
                let (kind, answer) = stranger.ask(&self.target, properties, &body).await;
                // In the encoding of the request, which is not always JSON.
                let names_it =
                    answer["fault"] == fault || answer.as_str().is_some_and(|it| it.contains(fault));
                assert!(kind == "fault" && names_it, "{what}: {kind} {answer}");
                assert!(answer.to_string().len() < 1_000, "{what}: {answer}");
            }
            Deserves::Reply => {
                let (kind, answer) = stranger.ask(&self.target, properties, &body).await;
                assert_eq!(kind, "reply", "{what}: {answer}");
            }
            Deserves::Nothing(reason) => {
                let label = format!("reason=\"{reason}\"");
                let dropped = async || {
                    counted(&self.page(fleet).await, "bellwether_rpc_requests_dropped_total", &[&label])
                };
                let (id, before) = (Uuid::new_v4().to_string(), dropped().await);
                let asking = properties.with_reply_to(stranger.answers_to());
                stranger.tell(&self.target, asking.with_correlation_id(id.as_str().into()), &body).await;
                self.serves(stranger, &what).await;
                assert_eq!((dropped().await, stranger.answer_to(&id)), (before + 1, None), "{what}");
            }
        }
    }

    /// What nobody hears the answer to.
    async fn answers_nobody(&self, stranger: &Stranger) {
        let shared = self.target.key.clone();
        for nobody in ["nobody-has-this-queue", "amq.rabbitmq.reply-to.nonsense", "", &shared] {
            for (method, body) in [("Nonsense", "{}"), (self.strict, "{"), (self.good.0, "{}")] {
                let asking = bare(method).with_reply_to(nobody.into());
                stranger.tell(&self.target, asking, body.as_bytes()).await;
            }
            self.serves(stranger, nobody).await;
        }
    }

    /// A lot of messages at once that expect nothing.
    async fn is_flooded(&self, fleet: &Fleet, stranger: &Stranger) {
        let total = "bellwether_rpc_requests_dropped_total";
        let labels = [["reason=\"bad_notification\""], ["reason=\"no_reply_to\""]];
        let dropped = async || {
            let page = self.page(fleet).await;
            labels.map(|labels| counted(&page, total, &labels))
        };
        let before = dropped().await;
        let noise = vec![b'x'; 20 * MB / FLOOD as usize];
        for index in 0..FLOOD {
            let method = if index % 2 == 0 { "Nonsense" } else { self.strict };
            stranger.tell(&self.target, bare(method), &noise).await;
            if (index + 1) % WAVE == 0 {
                self.serves(stranger, "a wave of the flood").await;
            }
        }
        eventually("all of it was counted", async || {
            let now = dropped().await;
            let half = FLOOD / 2;
            if now == before.map(|count| count + half) { Ok(()) } else { Err(format!("{before:?}, {now:?}")) }
        })
        .await;
    }
}

#[tokio::test]
async fn nonsense_is_refused_told_counted_and_leaves_nothing_behind() {
    let health = Port::claim();
    let fleet = Fleet::shared().await.controllers(1).agents(1);
    let fleet = fleet.agent("node-2", &["--health-listen", &health.address()]).start().await;
    let stranger = Stranger::connect(RabbitMq::shared().await).await;
    let have = json!({"name": "stranger", "instance": Uuid::now_v7()});
    let controller = Victim {
        target: Target::controllers(fleet.name()),
        metrics: String::new(),
        strict: "GetIngressConfigs",
        good: ("GetIngressConfigs", have),
    };
    let agent = Victim {
        target: Target::agent(fleet.name(), "node-2"),
        metrics: format!("http://{}/metrics", health.address()),
        strict: "SetIngressConfig",
        good: ("Ping", json!({})),
    };
    let processes = [fleet.controller(0).process(), fleet.agent("node-2").process()];
    let before = processes.map(|process| memory(process.pid()));
    let started = Instant::now();

    fleet
        .nobody_is_called_offline_while(async {
            for victim in [&controller, &agent] {
                for nonsense in nonsense(victim) {
                    let what = nonsense.what.clone();
                    victim.gets_what_it_deserves(&fleet, &stranger, nonsense).await;
                    victim.serves(&stranger, &what).await;
                }
                victim.answers_nobody(&stranger).await;
                victim.is_flooded(&fleet, &stranger).await;
            }
            is_whole(&fleet).await;
        })
        .await;

    let most = 2 + started.elapsed().as_secs() / QUIET_SECONDS;
    for (process, before) in processes.into_iter().zip(before) {
        let log = process.log();
        for reason in ["bad_request", "unknown_method", "answer_on_a_request_queue", "no_reply_to"] {
            let reason = format!(" reason=\"{reason}\"");
            let told = log.lines().filter(|line| line.contains("makes no sense") && line.contains(&reason));
            let told = told.count() as u64;
            assert!((1..=most).contains(&told), "{reason} was told {told} times:\n{log}");
        }
        assert!(!log.contains('\u{1b}'), "{log}");
        let (after, peak) = memory(process.pid());
        eprintln!("measured: resident MiB before {}, after {after}, at most {peak}", before.0);
        assert!(after < before.0 + GROWTH && peak < before.0 + PEAK, "from {before:?} to {after}, {peak}");
    }
}
