//! Every number of the page is the code's.

use std::time::Duration;

use bellwether_controller::registry::CLOCKS_DIFFER;
use bellwether_proto::controller::CONFIGS_BYTES;
use bellwether_proto::{DOCUMENT_BYTES, SMALL_BYTES};
use bellwether_rpc::transport::amqp::{AmqpSettings, AmqpUrl};
use bellwether_rpc::{DEFAULT_DEADLINE, Limits, PROTOCOL};
use bellwether_tests::workspace;

use crate::page::Page;

#[test]
fn every_number_is_the_codes() {
    let table = Page::read().table("Numbers", "what");
    for row in &table.rows {
        let [what, value, place] = [0, 1, 2].map(|column| row[column].as_str());
        let (file, name) = place.split_once(' ').unwrap_or_else(|| panic!("{place:?} is no file and name"));
        let in_code = public(file, name).unwrap_or_else(|| constant(file, name));
        assert_eq!(number(value), in_code, "{what}: {place}");
    }
}

/// Milliseconds, bytes or a count, from code that can be called.
fn public(file: &str, name: &str) -> Option<u128> {
    let limits = Limits::default();
    let agent = bellwether_agent::Settings::new("node-7".parse().expect("a name"));
    let controller = bellwether_controller::Settings::new("default".parse().expect("a fleet"));
    let url: AmqpUrl = "amqp://localhost".parse().expect("a URL");
    let amqp = AmqpSettings::new([url], String::new(), String::new());
    let ms = |duration: Duration| duration.as_millis();
    let number = match (file, name) {
        ("rpc/src/message.rs", "PROTOCOL") => PROTOCOL.into(),
        ("rpc/src/message.rs", "DEFAULT_DEADLINE") => ms(DEFAULT_DEADLINE),
        ("rpc/src/server.rs", "prefetch") => limits.prefetch.into(),
        ("rpc/src/server.rs", "concurrency") => limits.concurrency.into(),
        ("rpc/src/transport/amqp/settings.rs", "heartbeat") => ms(amqp.heartbeat),
        ("rpc/src/transport/amqp/settings.rs", "longest_pause") => ms(amqp.longest_pause),
        ("proto-types/src/lib.rs", "DOCUMENT_BYTES") => DOCUMENT_BYTES as u128,
        ("proto-types/src/lib.rs", "SMALL_BYTES") => SMALL_BYTES as u128,
        ("controller/src/registry.rs", "CLOCKS_DIFFER") => ms(CLOCKS_DIFFER),
        ("proto-types/src/controller.rs", "CONFIGS_BYTES") => CONFIGS_BYTES as u128,
        ("agent/src/settings.rs", "interval") => ms(agent.interval),
        ("agent/src/settings.rs", "goodbye") => ms(agent.goodbye),
        ("controller/src/settings.rs", "time_to_live") => ms(controller.time_to_live),
        _ => return None,
    };
    assert_eq!(agent.interval, controller.beat_interval, "what is assigned is what agents begin with");
    Some(number)
}

/// The same of a private constant: as its line in the source says.
fn constant(file: &str, name: &str) -> u128 {
    let text =
        std::fs::read_to_string(workspace::path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let begins = format!("const {name}: ");
    let line = text.lines().find_map(|line| line.trim_start_matches("pub(crate) ").strip_prefix(&begins));
    let (_, value) =
        line.and_then(|line| line.split_once(" = ")).unwrap_or_else(|| panic!("{begins} in {file}"));
    let value = value.trim_end_matches(';');
    let seconds = value.strip_prefix("Duration::from_secs(").map(|seconds| (seconds, 1_000));
    let unit = seconds.or_else(|| value.strip_prefix("Duration::from_millis(").map(|ms| (ms, 1)));
    let (product, unit) = unit.unwrap_or((value, 1));
    let factors = product.trim_end_matches(')').split(" * ").map(|factor| factor.replace('_', ""));
    factors.map(|factor| factor.parse::<u128>().expect("a number")).product::<u128>() * unit
}

/// `5 s`, `4 MiB`, `64`: in milliseconds, bytes or as it is.
fn number(value: &str) -> u128 {
    let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
    let factor = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => panic!("the unit of {value:?}"),
    };
    number.parse::<u128>().unwrap_or_else(|error| panic!("{value}: {error}")) * factor
}
