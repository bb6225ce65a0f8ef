//! No password, API key or body of a config is ever written to a log, shown among the metrics, or told in an error.

use bellwether_tests::{Answer, Fleet, Port, RabbitMq, Redis, eventually};

use crate::documents::document;

/// What every secret here has in it.
const SESAME: &str = "sesame";
/// The same, as bytes are shown.
const IN_BYTES: &str = "115, 101, 115, 97, 109, 101";
const SECRET: &str = "sesame-4711";
const WRONG: &str = "sesame-wrong";
const KEY: &str = "sesame-key-0123456789";

/// With a host that nobody but its owner need know.
fn secret_document(port: u16) -> String {
    let document = document("shop", port);
    format!(
        "{document}  backends: [{{name: web, endpoints: []}}]\n  rules: [{{host: sesame.example, http: {{paths: [{RULE}]}}}}]\n"
    )
}

const RULE: &str = "{path: /sesame, pathType: Prefix, backend: {name: web}}";

#[tokio::test]
async fn no_secret_and_no_body_is_in_any_log_metric_or_error() {
    let (rabbitmq, redis) = (RabbitMq::shared().await, Redis::start().await);
    let user = bellwether_tests::fleet();
    rabbitmq.ctl(&["add_user", &user, SECRET]).await;
    rabbitmq.ctl(&["set_permissions", &user, ".*", ".*", ".*"]).await;
    ask_for_a_password(&redis).await;
    let amqp = |password: &str| format!("amqp://{user}:{password}@127.0.0.1:{}/%2f", rabbitmq.port());
    let redis_url = |password: &str| format!("redis://:{password}@127.0.0.1:{}/", redis.port());

    let health = Port::claim();
    let fleet = Fleet::on(rabbitmq, &redis).amqp_url(amqp(SECRET)).redis_url(redis_url(SECRET));
    let fleet = fleet.api_key(KEY).agents(1).agent("node-2", &["--health-listen", &health.address()]);
    let fleet = fleet.log("trace").start().await;
    let pushed = fleet.push(&secret_document(8080), &[]).await;
    assert_eq!(pushed.counts(), (0, 2, 2));
    fleet.wait_until_converged().await;
    let mut told = errors(&fleet).await;
    for page in ["readyz", "metrics"] {
        told.push(Answer::to_get(&format!("http://{}/{page}", health.address())).await);
        told.push(fleet.controller(0).get(&format!("/{page}")).await);
    }

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
    let refused = fleet.push(&secret_document(8081), &[]).await;
    assert_eq!(refused.code, 1, "{refused:#?}");
    told.push(fleet.controller(0).get("/readyz").await);
    told.extend(errors(&fleet).await);

    for (name, process) in fleet.processes() {
        let log = process.logs();
        assert!(log.len() > 200, "{name} says too little to mean anything: {log}");
        for line in log.lines() {
            assert!(!shows_a_secret(line), "{name}: {line}");
        }
    }
    assert!(!refused.stderr.contains(SESAME), "{}", refused.stderr);
    for told in told {
        let told = format!("{:?}", told.expect("an answer"));
        assert!(told.len() > 100 && !shows_a_secret(&told), "{told}");
    }
}

fn shows_a_secret(text: &str) -> bool {
    text.to_lowercase().contains(SESAME) || text.contains(IN_BYTES)
}

/// What is answered to requests in which something else is wrong than what is secret.
async fn errors(fleet: &Fleet) -> Vec<Result<Answer, String>> {
    let (controller, good) = (fleet.controller(0), secret_document(8082));
    let mut answers = Vec::new();
    for (kind, wrong) in [
        ("application/yaml", good.replace("listeners", "colour: red\n  listeners")),
        ("application/yaml", good.replace("port: 8082", "port: 0")),
        ("application/yaml", good.replace("Prefix", "Regex")),
        ("application/yaml", format!("{good}\tnonsense")),
        ("application/json", "{\"spec\": {\"rules\": [{\"host\": \"sesame.example\"}]}, \"sesame".to_owned()),
        ("text/plain", good.clone()),
    ] {
        let answer = controller.put("/v1/configs/shop", kind, wrong).await;
        assert!(answer.as_ref().is_ok_and(|answer| answer.status >= 400), "{kind}: {answer:?}");
        answers.push(answer);
    }
    answers.push(controller.put("/v1/configs/blog", "application/yaml", good).await);
    answers.push(Answer::to_get(&format!("{}/v1/configs", controller.url())).await);
    answers
}

/// As `requirepass` in its settings would.
async fn ask_for_a_password(redis: &Redis) {
    let client = ::redis::Client::open(redis.url()).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("it is up");
    let set: ::redis::RedisResult<()> =
        ::redis::cmd("CONFIG").arg("SET").arg("requirepass").arg(SECRET).query_async(&mut connection).await;
    set.expect("it takes the setting");
}
