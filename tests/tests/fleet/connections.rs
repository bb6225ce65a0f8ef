//! What a fleet costs the broker: two connections a controller, one an agent, however much is pushed.

use bellwether_tests::{Fleet, FleetBuilder, RabbitMq, Redis, eventually};

use crate::documents::document;

#[tokio::test]
async fn connections_and_queues_stay_as_few_as_they_are() {
    let rabbitmq = RabbitMq::shared().await;
    let (fleet, vhost) = fleet_in_a_vhost(rabbitmq).await;
    let fleet = fleet.agents(3).start().await;

    let before = (connections(rabbitmq, &vhost).await, queues(rabbitmq, &vhost).await);
    assert_eq!(before.0, (2 * 2, 3), "of controllers and of agents");
    assert_eq!(
        before.1.len(),
        1 + 3 + 5,
        "the shared one, one an agent, one a process for replies: {before:#?}"
    );

    let documents: Vec<String> = (1..=20).map(|n| document(&format!("shop-{n}"), 8080 + n)).collect();
    let pushed = fleet.push(&documents.join("---\n"), &[]).await;
    assert_eq!((pushed.code, pushed.rollouts.len()), (0, 20), "{pushed:#?}");

    let after = (connections(rabbitmq, &vhost).await, queues(rabbitmq, &vhost).await);
    assert_eq!(after, before);

    drop(fleet);
    eventually("what the processes held is gone", async || {
        let left = queues(rabbitmq, &vhost).await;
        if left.len() == 1 { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

/// A fleet whose connections can be told from those of others.
async fn fleet_in_a_vhost(rabbitmq: &RabbitMq) -> (FleetBuilder, String) {
    let vhost = bellwether_tests::fleet();
    rabbitmq.ctl(&["add_vhost", &vhost]).await;
    rabbitmq.ctl(&["set_permissions", "-p", &vhost, "guest", ".*", ".*", ".*"]).await;
    let url = format!("amqp://127.0.0.1:{}/{vhost}", rabbitmq.port());
    (Fleet::on(rabbitmq, Redis::shared().await).amqp_url(url), vhost)
}

/// How many connections controllers and agents have.
async fn connections(rabbitmq: &RabbitMq, vhost: &str) -> (usize, usize) {
    let listed = rabbitmq.ctl(&["list_connections", "vhost", "client_properties"]).await;
    let ours: Vec<&str> =
        listed.lines().filter(|line| line.split_whitespace().next() == Some(vhost)).collect();
    let count = |name: &str| ours.iter().filter(|line| line.contains(name)).count();
    let counts = (count("bellwether-controller"), count("bellwether-agent"));
    assert_eq!(counts.0 + counts.1, ours.len(), "{listed}");
    counts
}

async fn queues(rabbitmq: &RabbitMq, vhost: &str) -> Vec<String> {
    let mut names: Vec<String> =
        rabbitmq.ctl(&["list_queues", "-p", vhost, "name"]).await.lines().map(str::to_owned).collect();
    names.sort();
    names
}
