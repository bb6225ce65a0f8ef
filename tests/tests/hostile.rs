//! Somebody who has the broker's password sends what makes no sense to real controllers and agents: it is refused, told
//! once in a while and counted, and harms nobody.

#[path = "hostile/measured.rs"]
mod measured;
#[path = "hostile/nonsense.rs"]
mod nonsense;
#[path = "hostile/rivals.rs"]
mod rivals;
#[path = "hostile/stranger.rs"]
mod stranger;
#[path = "hostile/unreadable.rs"]
mod unreadable;

use bellwether_tests::{Fleet, RabbitMq, eventually};

/// A document for every agent.
fn document(name: &str, port: u16) -> String {
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
         listeners: [{{name: web, port: {port}, protocol: HTTP}}]\n"
    )
}

/// The fleet has its own queues and no more, nothing waits in any of them, and everybody is there and is pushed to.
async fn is_whole(fleet: &Fleet) {
    fleet.wait_until_converged().await;
    let ours = format!("bellwether.{}.", fleet.name());
    eventually("nothing is left in the queues of the fleet", async || {
        let listed = RabbitMq::shared().await.ctl(&["list_queues", "name", "messages", "consumers"]).await;
        let left: Vec<_> = listed.lines().filter(|line| line.starts_with(&ours)).map(str::to_owned).collect();
        let consumers =
            |line: &str| line.rsplit_once("\t0\t").and_then(|(_, count)| count.parse::<usize>().ok());
        // One that all controllers consume; of each process one for answers; of each agent one for requests.
        let (controllers, agents) = (fleet.controllers().len(), fleet.agents().len());
        let consuming: Option<usize> = left.iter().map(|line| consumers(line)).sum();
        let expected = (1 + controllers + 2 * agents, Some(2 * controllers + 2 * agents));
        if (left.len(), consuming) == expected { Ok(()) } else { Err(format!("{left:#?}")) }
    })
    .await;
    let pushed = fleet.push(&document("shop", 8080), &[]).await;
    let agents = fleet.agents().len();
    assert_eq!(pushed.counts(), (0, agents, agents), "{pushed:#?}");
}
