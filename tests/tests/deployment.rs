//! What `docker-compose.yml`, the `Dockerfile` and `deploy/` say is what the programs understand, and it works without
//! containers, which no machine of these tests has.

#[path = "deployment/compose.rs"]
mod compose;
#[path = "deployment/dockerfile.rs"]
mod dockerfile;
#[path = "deployment/faults.rs"]
mod faults;
#[path = "deployment/files.rs"]
mod files;
#[path = "deployment/programs.rs"]
mod programs;
#[path = "deployment/proxy.rs"]
mod proxy;
#[path = "deployment/running.rs"]
mod running;

use std::time::Duration;

use bellwether_tests::{Launch, workspace};

use files::{Files, Name};
use programs::Programs;

#[tokio::test]
async fn the_files_say_what_the_programs_understand_and_agree_with_each_other() {
    assert_eq!(Files::read().faults(&Programs::ask().await), Vec::<String>::new());
}

#[tokio::test]
async fn haproxy_takes_its_configuration() {
    let file = workspace::path("deploy/haproxy.cfg");
    let checked = Launch::program(running::haproxy()).args(["-c", "-f"]).arg(file);
    let checked = checked.run_to_end(Duration::from_secs(30)).await;
    assert_eq!(checked.code, 0, "{checked:#?}");
}

#[test]
fn a_missing_password_stops_compose_and_says_what_to_do() {
    for missing in ["RABBITMQ_PASSWORD", "REDIS_PASSWORD"] {
        let error = compose::interpolated(&Files::read().compose, |name| {
            (name != missing).then(|| "secret".to_owned())
        });
        let error = error.expect_err("it is required");
        assert!(error.contains(missing) && error.contains(".env.example"), "{error}");
    }
}

/// The checks bite: each of these is wrong in one place, and that is found.
#[tokio::test]
async fn what_is_wrong_in_one_place_is_found() {
    use Name::{Compose, Dockerfile, Dockerignore, EnvExample, Haproxy, RabbitMq, Redis};
    let programs = Programs::ask().await;
    let wrong = [
        (Compose, "[--name, node-2", "[--nmae, node-2", "--nmae"),
        (Compose, "BELLWETHER_STATE_DIR:", "BELLWETHER_STATEDIR:", "BELLWETHER_STATEDIR"),
        (Compose, "\"bellwether-agent\", \"healthcheck\"", "\"bellwether-agent\", \"health\"", "health"),
        (Compose, "\"bellwether-controller\", \"healthcheck\"", "\"curl\", \"-f\"", "curl"),
        (Compose, "@rabbitmq:5672", "@rabbit:5672", "rabbit:5672"),
        (Compose, "@redis:6379", "@redis:6380", "redis:6380"),
        (Compose, "LISTEN: 0.0.0.0:7400", "LISTEN: 0.0.0.0:7401", "7401"),
        (Compose, "\"127.0.0.1:7400:7400\"", "\"7400:7400\"", "127.0.0.1"),
        (Compose, "\"127.0.0.1:7400:7400\"", "\"127.0.0.1:7400:7402\"", "7402"),
        (Compose, "/dev/tcp/127.0.0.1/7400", "/dev/tcp/127.0.0.1/7499", "7499"),
        (Compose, "rabbitmq:4.1-management", "rabbitmq:latest", "latest"),
        (Compose, "rabbitmq:4.1-management", "rabbitmq:4.2-management", "Khepri"),
        (Compose, "restart: unless-stopped", "stdin_open: false", "restart"),
        (Compose, "  secrets: [api-key]\n", "", "/run/secrets/api-key"),
        (Compose, "/run/secrets/api-key", "/run/secrets/key", "/run/secrets/key"),
        (Compose, "condition: service_healthy", "condition: service_started", "service_started"),
        (Compose, "./deploy/redis.conf:", "./deploy/redis.cfg:", "redis.cfg"),
        (Compose, "target: agent", "target: agents", "agents"),
        (Compose, "bellwether-agent:0.1.0", "bellwether-agent:0.0.9", "0.0.9"),
        (Compose, "-p 6379 ping", "-p 6378 ping", "6378"),
        (Compose, "[\"node-3:/var", "[\"node-2:/var", "node-2"),
        (Compose, "mem_limit: 384m", "mem_limit: 128m", "maxmemory"),
        (Haproxy, "controller-2 controller-2:7400", "controller-2 controller-3:7400", "controller-3"),
        (Haproxy, "    server controller-1 controller-1:7400\n", "", "controller-1"),
        (Haproxy, "bind :7400", "bind :7444", "7444"),
        (Haproxy, "GET /readyz", "GET /ready", "/readyz"),
        (Redis, "appendonly yes", "appendonly no", "appendonly"),
        (RabbitMq, "transient_nonexcl_queues = false", "transient_nonexcl_queues = true", "transient"),
        (RabbitMq, "256MiB", "600MiB", "watermark"),
        (EnvExample, "REDIS_PASSWORD=", "REDIS_PASS=", "REDIS_PASS"),
        (EnvExample, "REDIS_PASSWORD=", "REDIS_PASSWORD=redis", "REDIS_PASSWORD"),
        (Dockerfile, "USER 10001:10001", "USER root", "root"),
        (Dockerfile, "USER 10001:10001\n", "", "USER"),
        (Dockerfile, "debian:bookworm-slim", "debian:latest", "latest"),
        (Dockerfile, "rust:1.95-", "rust:1.80-", "1.80"),
        (Dockerfile, "/out/bellwether-agent /usr", "/out/bellwether-node /usr", "bellwether-node"),
        (Dockerfile, "-p bellwether-agent ", "", "bellwether-agent"),
        (Dockerfile, "LISTEN=0.0.0.0:7400", "LISTEN=0.0.0.0:7409", "7409"),
        (Dockerfile, "EXPOSE 7400", "EXPOSE 7404", "7404"),
        (Dockerfile, "ENTRYPOINT [\"bellwether-agent\"]", "ENTRYPOINT [\"bellwether\"]", "ENTRYPOINT"),
        (Dockerignore, "!ingress\n", "", "ingress"),
    ];
    for (name, right, otherwise, word) in wrong {
        let files = Files::read().with(name, right, otherwise);
        let faults = files.faults(&programs);
        assert!(
            faults.iter().any(|fault| fault.contains(word)),
            "{otherwise:?} in place of {right:?}: {faults:?}"
        );
    }
}
