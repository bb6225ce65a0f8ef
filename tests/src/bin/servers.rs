//! A RabbitMQ and a Redis for working by hand: prints where they are, and ends them when it is ended.

use bellwether_tests::{RabbitMq, Redis, root};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (rabbitmq, redis) = tokio::join!(RabbitMq::start(), Redis::start());
    println!("folder {}", root().display());
    println!("export BELLWETHER_AMQP_URL={}", rabbitmq.url());
    println!("export BELLWETHER_REDIS_URL={}", redis.url());
    std::future::pending::<()>().await;
}
