//! Tells every target of a rollout, and gathers one verdict of each.

use crate::{
    ledger::verdict,
    plan::{Plan, Target},
    pool::{Member, Pool},
};
use bellwether_proto::{
    AgentName,
    agent::{self, Applied, DelConfig, EveryAgent, SetConfig},
    http::Verdict,
};
use bellwether_rpc::{CallError, Connection, Deadline, Instance, Peer};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream, FuturesUnordered},
};
use std::collections::HashMap;

/// A whole fleet of more agents than this is told by one publish.
const FEW: usize = 64;

/// What every target is told.
pub(crate) enum Order {
    Set(SetConfig),
    Delete(DelConfig),
}

/// What came of one target, and why.
pub(crate) type Report = (AgentName, Verdict, String);

/// What came of the targets, as it comes. Of a target that there is more than one report of, the first counts.
pub(crate) type Reports<'a> = BoxStream<'a, Report>;

/// Tells all targets at the same time.
pub(crate) async fn tell<'a>(
    connection: &Connection,
    pool: &Pool,
    plan: &'a Plan,
    order: &'a Order,
    deadline: Deadline,
) -> Reports<'a> {
    let members = plan.targets.iter().map(|target| (target, pool.member(target)));
    if plan.is_everyone && plan.targets.len() > FEW {
        let gone = went_offline(members);
        stream::select(by_one_publish(connection, &plan.targets, order, deadline).await, gone).boxed()
    } else {
        one_by_one(members, order, deadline)
    }
}

/// Calls each: whichever comes first of its answer, the deadline, and the news that it is gone.
fn one_by_one<'a>(
    members: impl Iterator<Item = (&'a Target, Member)>,
    order: &'a Order,
    deadline: Deadline,
) -> Reports<'a> {
    let telling = members.map(|(target, member)| async move {
        tokio::select! {
            biased;
            outcome = call(&member, order, deadline) => report(&target.name, outcome),
            () = member.gone.cancelled() => offline(&target.name),
        }
    });
    telling.collect::<FuturesUnordered<_>>().boxed()
}

async fn call(member: &Member, order: &Order, deadline: Deadline) -> Result<Applied, CallError> {
    match order {
        Order::Set(config) => member.client.set_ingress_config(config, deadline).await,
        Order::Delete(config) => member.client.del_ingress_config(config, deadline).await,
    }
}

/// Calls everyone. Who hears it and is no target takes it as it takes any news: its answer is not waited for.
async fn by_one_publish<'a>(
    connection: &Connection,
    targets: &'a [Target],
    order: &Order,
    deadline: Deadline,
) -> Reports<'a> {
    let everyone = EveryAgent::new(connection.clone(), agent::SERVICE);
    let peers = targets.iter().map(|target| Peer::new(target.name.clone(), target.instance));
    let asked = match order {
        Order::Set(config) => everyone
            .set_ingress_config(config, peers, deadline)
            .await
            .map(|asked| asked.into_stream().boxed()),
        Order::Delete(config) => everyone
            .del_ingress_config(config, peers, deadline)
            .await
            .map(|asked| asked.into_stream().boxed()),
    };
    let names: HashMap<Instance, &AgentName> =
        targets.iter().map(|target| (target.instance, &target.name)).collect();
    match asked {
        Ok(outcomes) => outcomes
            .filter_map(move |(peer, outcome)| {
                std::future::ready(names.get(&peer.instance).map(|name| report(name, outcome)))
            })
            .boxed(),
        Err(error) => {
            stream::iter(targets).map(move |target| report(&target.name, Err(error.clone()))).boxed()
        }
    }
}

/// The news of those that are gone. It ends only with the interest in it.
fn went_offline<'a>(members: impl Iterator<Item = (&'a Target, Member)>) -> Reports<'a> {
    let leaving = members.map(|(target, member)| async move {
        member.gone.cancelled().await;
        offline(&target.name)
    });
    leaving.collect::<FuturesUnordered<_>>().boxed()
}

fn report(name: &AgentName, outcome: Result<Applied, CallError>) -> Report {
    let (verdict, reason) = verdict(outcome.map(drop));
    (name.clone(), verdict, reason)
}

fn offline(name: &AgentName) -> Report {
    (name.clone(), Verdict::Offline, "it went offline during the push".to_owned())
}
