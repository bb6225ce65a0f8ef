//! A small fleet on a broker in memory is told, busy, doubled or gone.

use super::*;
use crate::plan::Target;
use bellwether_ingress::Revision;
use bellwether_proto::{StoreHead, StoreId, agent::DelIngressConfig};
use bellwether_rpc::{Fault, Limits, Router, transport::memory::Memory};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio_util::sync::CancellationToken;

/// A fleet on a broker of its own. Each agent is busy for the first so many times that it is asked.
struct Fleet {
    controller: Connection,
    targets: Vec<Target>,
    asked: Arc<AtomicU32>,
}

impl Fleet {
    async fn of(agents: usize, busy: u32) -> Self {
        let memory = Memory::new();
        let (mut targets, asked) = (Vec::new(), Arc::new(AtomicU32::new(0)));
        for number in 0..agents {
            let (connection, all) = (Connection::new(memory.connect()), asked.clone());
            let name: AgentName = format!("node-{number:03}").parse().unwrap();
            let mine = Arc::new(AtomicU32::new(0));
            let router = Router::new().on::<DelIngressConfig, _, _>(move |_, _| {
                all.fetch_add(1, Ordering::Relaxed);
                let busy = mine.fetch_add(1, Ordering::Relaxed) < busy;
                async move {
                    let applied = Applied { revision: Revision::from(1), digest: known_digest() };
                    if busy { Err(Fault::overloaded("busy")) } else { Ok(applied) }
                }
            });
            let server = connection.server(agent::address(&name), router, Limits::default());
            let mut bound = server.bound();
            targets.push(Target { name, instance: connection.instance() });
            tokio::spawn(server.run(CancellationToken::new()));
            bound.wait_for(Option::is_some).await.unwrap();
        }
        Self { controller: Connection::new(memory.connect()), targets, asked }
    }

    /// What is reported when all are told, sorted by name.
    async fn told(&self, is_everyone: bool, within: Duration) -> Vec<Report> {
        let plan = Plan { targets: self.targets.clone(), absent: Vec::new(), is_everyone };
        let at = StoreHead { store_id: StoreId::new(), succeeds: vec![], revision: Revision::from(1) };
        let order = Order::Delete(DelConfig { at, name: "shop".parse().unwrap() });
        let pool = Pool::new(self.controller.clone());
        let reports = tell(&self.controller, &pool, &plan, &order, Deadline::after(within)).await;
        let mut reports: Vec<_> = reports.take(self.targets.len()).collect().await;
        reports.sort();
        reports
    }
}

fn known_digest() -> bellwether_ingress::Digest {
    bellwether_proto::Known::nothing().digest
}

fn all_have(reports: &[Report], agents: usize, expected: Verdict) -> bool {
    let mut names: Vec<_> = reports.iter().map(|(name, ..)| name).collect();
    names.dedup();
    names.len() == agents && reports.iter().all(|(_, verdict, _)| *verdict == expected)
}

#[tokio::test(start_paused = true)]
async fn a_whole_fleet_is_told_once_and_so_are_a_few() {
    for (agents, is_everyone) in [(FEW + 1, true), (FEW + 1, false), (3, true)] {
        let fleet = Fleet::of(agents, 0).await;
        let reports = fleet.told(is_everyone, Duration::from_secs(5)).await;
        assert!(all_have(&reports, agents, Verdict::Applied), "{reports:?}");
        assert_eq!(fleet.asked.load(Ordering::Relaxed) as usize, agents);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_too_busy_is_told_again_until_the_deadline() {
    for (agents, is_everyone) in [(FEW + 1, true), (3, false)] {
        let fleet = Fleet::of(agents, 2).await;
        let reports = fleet.told(is_everyone, Duration::from_secs(5)).await;
        assert!(all_have(&reports, agents, Verdict::Applied), "{reports:?}");
        assert_eq!(fleet.asked.load(Ordering::Relaxed) as usize, 3 * agents);

        let busy = Fleet::of(agents, u32::MAX).await;
        let started = Instant::now();
        let reports = busy.told(is_everyone, Duration::from_secs(5)).await;
        assert!(all_have(&reports, agents, Verdict::Failed), "{reports:?}");
        assert!(started.elapsed() <= Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

/// As when a process serves two names. Answers to one publish could not be told apart.
#[tokio::test(start_paused = true)]
async fn two_names_of_one_process_have_a_verdict_each() {
    let mut fleet = Fleet::of(FEW + 1, 0).await;
    fleet.targets[0].instance = fleet.targets[1].instance;
    let reports = fleet.told(true, Duration::from_secs(5)).await;
    assert_eq!(reports.len(), FEW + 1);
    let odd = reports.iter().filter(|(_, verdict, _)| *verdict != Verdict::Applied);
    assert_eq!(odd.map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["node-000"], "{reports:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_has_a_verdict_before_the_deadline() {
    for (agents, is_everyone) in [(FEW + 1, true), (3, false)] {
        let mut fleet = Fleet::of(agents, 0).await;
        fleet.targets[0].name = "nobody".parse().unwrap();
        fleet.targets[0].instance = Instance::new();
        let started = Instant::now();
        let reports = fleet.told(is_everyone, Duration::from_secs(60)).await;
        let nobody = reports.iter().find(|(name, ..)| name.as_str() == "nobody");
        assert!(matches!(nobody, Some((_, Verdict::Unroutable, _))), "{reports:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}
