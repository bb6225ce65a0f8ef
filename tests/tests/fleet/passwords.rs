//! No password is ever written to a log.

use bellwether_tests::{Fleet, RabbitMq, Redis, eventually};

use crate::documents::document;

const SECRET: &str = "sesame-4711";
const WRONG: &str = "sesame-wrong";

#[tokio::test]
async fn no_password_is_in_any_log() {
    let (rabbitmq, redis) = (RabbitMq::shared().await, Redis::start().await);
    let user = bellwether_tests::fleet();
    rabbitmq.ctl(&["add_user", &user, SECRET]).await;
    rabbitmq.ctl(&["set_permissions", &user, ".*", ".*", ".*"]).await;
    ask_for_a_password(&redis).await;
    let amqp = |password: &str| format!("amqp://{user}:{password}@127.0.0.1:{}/%2f", rabbitmq.port());
    let redis_url = |password: &str| format!("redis://:{password}@127.0.0.1:{}/", redis.port());

    let fleet = Fleet::on(rabbitmq, &redis).amqp_url(amqp(SECRET)).redis_url(redis_url(SECRET));
    let fleet = fleet.agents(2).log("trace").start().await;
    let pushed = fleet.push(&document("shop", 8080), &[]).await;
    assert_eq!(pushed.counts(), (0, 2, 2));

    // Whoever is turned away complains, and does not repeat what it was turned away for.
    let turned_away = fleet.agent("node-1").process();
    turned_away.terminate().await;
    turned_away.start_again_as(|launch| launch.env("BELLWETHER_AMQP_URL", amqp(WRONG)));
    turned_away.wait_for_log("ACCESS_REFUSED").await;
    let controller = fleet.controller(1).process();
    controller.terminate().await;
    controller.start_again_as(|launch| launch.env("BELLWETHER_REDIS_URL", redis_url(WRONG)));
    eventually("its Redis turns it away", async || {
        fleet.controller(1).get("/v1/agents").await.is_ok_and(|it| it.status == 503)
    })
    .await;
    redis.stop().await;
    let refused = fleet.push(&document("shop", 8081), &[]).await;
    assert_eq!(refused.code, 1, "{refused:#?}");

    for (name, process) in fleet.processes() {
        let log = process.logs();
        assert!(log.len() > 200, "{name} says too little to mean anything: {log}");
        for line in log.lines() {
            assert!(!line.contains(SECRET) && !line.contains(WRONG), "{name}: {line}");
        }
    }
    assert!(!refused.stderr.contains("sesame"), "{}", refused.stderr);
}

/// As `requirepass` in its settings would.
async fn ask_for_a_password(redis: &Redis) {
    let client = ::redis::Client::open(redis.url()).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("it is up");
    let set: ::redis::RedisResult<()> =
        ::redis::cmd("CONFIG").arg("SET").arg("requirepass").arg(SECRET).query_async(&mut connection).await;
    set.expect("it takes the setting");
}
