//! What real programs declare on a real broker is what the tables of names say, and no more.

use bellwether_tests::{Binary, Fleet, Launch, RabbitMq, eventually, fleet, folder};

use crate::page::{Page, Table};

/// The placeholders of the page.
const PLACEHOLDERS: [&str; 4] = ["<fleet>", "<name>", "<instance>", "<generation>"];

#[tokio::test]
async fn an_agent_alone_declares_what_the_page_says_agents_declare() {
    let rabbitmq = RabbitMq::shared().await;
    let (fleet, state) = (fleet(), folder("state"));
    let args = ["--amqp-url", &rabbitmq.url(), "--fleet", &fleet, "--name", "node-7", "--state-dir"];
    let agent = Launch::of(Binary::Agent).await.args(args).arg(state.path()).start();
    declared_by(rabbitmq, &fleet, &["agents"]).await;
    // Its requests are mandatory: they come back.
    agent.wait_for_log("no controller yet").await;
}

#[tokio::test]
async fn a_fleet_declares_what_the_page_says_and_no_more() {
    let rabbitmq = RabbitMq::shared().await;
    let fleet = Fleet::shared().await.controllers(2).agents(2).start().await;
    declared_by(rabbitmq, fleet.name(), &["agents", "controllers"]).await;
}

/// Waits until the broker has, under this fleet's names, one of each row of those programs, and nothing else.
async fn declared_by(rabbitmq: &RabbitMq, fleet: &str, programs: &[&str]) {
    let page = Page::read();
    let (names, bindings) = (page.table("Names", "what"), page.table("Names", "from exchange"));
    let mut expected = rows(&names, programs);
    expected.extend(bindings.rows.iter().map(|row| format!("{} → {} by {}", row[0], row[2], row[1])));
    expected.sort();
    eventually("what is declared is what the page says", async || {
        let mut declared = queues(rabbitmq, fleet).await;
        declared.extend(exchanges(rabbitmq, fleet).await);
        declared.extend(self::bindings(rabbitmq, fleet).await);
        declared.sort();
        declared.dedup();
        if declared == expected { Ok(()) } else { Err(format!("{declared:#?}\nand not\n{expected:#?}")) }
    })
    .await;
}

fn rows(names: &Table, programs: &[&str]) -> Vec<String> {
    let by = names.column("declared by");
    let ours = names.rows.iter().filter(|row| row[by].split(", ").any(|by| programs.contains(&by)));
    let columns = ["name", "kind", "flags", "arguments"].map(|column| names.column(column));
    ours.map(|row| columns.map(|column| row[column].as_str()).join(" | ")).collect()
}

async fn queues(rabbitmq: &RabbitMq, fleet: &str) -> Vec<String> {
    let columns = ["name", "durable", "exclusive", "auto_delete", "arguments"];
    let lines = list(rabbitmq, fleet, "list_queues", &columns).await;
    let row = |cells: Vec<String>| {
        let arguments = match cells[4].as_str() {
            "[]" => "–",
            "[{\"x-queue-type\",\"classic\"}]" => "x-queue-type classic",
            other => other,
        };
        let flags = flags(&[("durable", &cells[1]), ("exclusive", &cells[2]), ("auto-delete", &cells[3])]);
        format!("{} | queue | {flags} | {arguments}", pattern(&cells[0], fleet))
    };
    lines.into_iter().map(row).collect()
}

async fn exchanges(rabbitmq: &RabbitMq, fleet: &str) -> Vec<String> {
    let columns = ["name", "type", "durable", "auto_delete", "internal", "arguments"];
    let lines = list(rabbitmq, fleet, "list_exchanges", &columns).await;
    let row = |cells: Vec<String>| {
        let flags = flags(&[("durable", &cells[2]), ("auto-delete", &cells[3]), ("internal", &cells[4])]);
        let arguments = if cells[5] == "[]" { "–" } else { &cells[5] };
        format!("{} | {} exchange | {flags} | {arguments}", pattern(&cells[0], fleet), cells[1])
    };
    lines.into_iter().map(row).collect()
}

/// All but those of the default exchange, which every queue has.
async fn bindings(rabbitmq: &RabbitMq, fleet: &str) -> Vec<String> {
    let columns = ["source_name", "destination_name", "routing_key"];
    let lines = list(rabbitmq, fleet, "list_bindings", &columns).await;
    let made = lines.into_iter().filter(|cells| !cells[0].is_empty());
    let row = |cells: Vec<String>| {
        let key = match cells[2].as_str() {
            "" => "–",
            "node-1" | "node-2" | "node-7" => "<name>",
            other => other,
        };
        format!("{} → {} by {key}", pattern(&cells[0], fleet), pattern(&cells[1], fleet))
    };
    made.map(row).collect()
}

async fn list(rabbitmq: &RabbitMq, fleet: &str, what: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let listed = rabbitmq.ctl(&[&[what], columns].concat()).await;
    let ours = listed.lines().filter(|line| line.contains(&format!("bellwether.{fleet}.")));
    ours.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn flags(flags: &[(&str, &String)]) -> String {
    let set: Vec<&str> =
        flags.iter().filter(|(_, is)| is.as_str() == "true").map(|(name, _)| *name).collect();
    set.join(", ")
}

/// A name with the page's placeholders for what is this fleet's, one agent's or one process's own.
fn pattern(name: &str, fleet: &str) -> String {
    let rest = name.strip_prefix(&format!("bellwether.{fleet}.")).unwrap_or(name);
    let parts: Vec<&str> = rest.split('.').collect();
    let number = |text: &str| text.parse::<u64>().is_ok();
    let instance = |text: &str| text.parse().is_ok_and(|id: uuid::Uuid| id.get_version_num() == 7);
    let rest = match parts[..] {
        ["agent", "node-1" | "node-2" | "node-7", id, generation] if instance(id) && number(generation) => {
            "agent.<name>.<instance>.<generation>".to_owned()
        }
        ["reply", id, generation] if instance(id) && number(generation) => {
            "reply.<instance>.<generation>".to_owned()
        }
        _ => rest.to_owned(),
    };
    let pattern = format!("bellwether.<fleet>.{rest}");
    let mut left = pattern.clone();
    for placeholder in PLACEHOLDERS {
        left = left.replace(placeholder, "");
    }
    assert!(!left.contains('<'), "{pattern}");
    pattern
}
