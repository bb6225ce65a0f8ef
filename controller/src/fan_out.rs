//! Tells every target of a rollout, and gathers one verdict of each.

use crate::{
    ledger::verdict,
    plan::Plan,
    pool::{Member, Pool},
};
use bellwether_proto::{
    AgentName,
    agent::{self, Applied, DelConfig, EveryAgent, SetConfig},
    http::Verdict,
};
use bellwether_rpc::{CallError, Connection, Deadline, FaultKind, Instance, Peer};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream, FuturesUnordered},
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The most agents of a whole fleet that are told one by one: more are told by one publish.
const FEW: usize = 64;

/// How long to wait before one that is too busy is told again: a random part of this, and of twice as much the next time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

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
    let members: Vec<_> = plan.targets.iter().map(|target| (&target.name, pool.member(target))).collect();
    if plan.is_everyone && members.len() > FEW && each_is_a_process_of_its_own(&members) {
        let gone = went_offline(&members);
        stream::select(by_one_publish(connection, members, order, deadline).await, gone).boxed()
    } else {
        one_by_one(members, order, deadline)
    }
}

/// Answers to one publish are told apart by the process that they come from.
fn each_is_a_process_of_its_own(members: &[(&AgentName, Member)]) -> bool {
    let instances: HashSet<_> = members.iter().map(|(_, member)| member.instance).collect();
    instances.len() == members.len()
}

/// Calls each: whichever comes first of its answer, the deadline, and the news that it is gone.
fn one_by_one<'a>(
    members: Vec<(&'a AgentName, Member)>,
    order: &'a Order,
    deadline: Deadline,
) -> Reports<'a> {
    let telling = members.into_iter().map(|(name, member)| async move {
        tokio::select! {
            biased;
            outcome = call(&member, order, deadline) => report(name, outcome),
            () = member.gone.cancelled() => offline(name),
        }
    });
    telling.collect::<FuturesUnordered<_>>().boxed()
}

/// Calls everyone. Who hears it and is no target takes it as it takes any news: its answer is not waited for.
async fn by_one_publish<'a>(
    connection: &Connection,
    members: Vec<(&'a AgentName, Member)>,
    order: &'a Order,
    deadline: Deadline,
) -> Reports<'a> {
    let everyone = EveryAgent::new(connection.clone(), agent::SERVICE);
    let peers = members.iter().map(|(name, member)| Peer::new((*name).clone(), member.instance));
    let asked = match order {
        Order::Set(config) => {
            everyone.set_ingress_config(config, peers, deadline).await.map(|it| it.into_stream().boxed())
        }
        Order::Delete(config) => {
            everyone.del_ingress_config(config, peers, deadline).await.map(|it| it.into_stream().boxed())
        }
    };
    let outcomes = match asked {
        Ok(outcomes) => outcomes,
        Err(error) if is_busy(&error) => return one_by_one(members, order, deadline),
        Err(error) => return all_end_as(error, members),
    };
    let (many, members) = (members.len(), by_instance(members));
    let told = move |(peer, outcome): (Peer, Result<Applied, CallError>)| {
        let member = members.get(&peer.instance).cloned();
        async move {
            let (name, member) = member?;
            Some(report(name, insist(outcome, &member, order, deadline).await))
        }
    };
    outcomes.map(told).buffer_unordered(many).filter_map(std::future::ready).boxed()
}

fn all_end_as<'a>(error: CallError, members: Vec<(&'a AgentName, Member)>) -> Reports<'a> {
    stream::iter(members).map(move |(name, _)| report(name, Err(error.clone()))).boxed()
}

fn by_instance(members: Vec<(&AgentName, Member)>) -> HashMap<Instance, (&AgentName, Member)> {
    members.into_iter().map(|(name, member)| (member.instance, (name, member))).collect()
}

/// The news of those that are gone. It ends only with the interest in it.
fn went_offline<'a>(members: &[(&'a AgentName, Member)]) -> Reports<'a> {
    let leaving = members.iter().cloned().map(|(name, member)| async move {
        member.gone.cancelled().await;
        offline(name)
    });
    leaving.collect::<FuturesUnordered<_>>().boxed()
}

async fn call(member: &Member, order: &Order, deadline: Deadline) -> Result<Applied, CallError> {
    insist(call_once(member, order, deadline).await, member, order, deadline).await
}

/// Calls again, after a pause, for as long as the target or the broker is too busy: then nothing has run.
async fn insist(
    mut outcome: Result<Applied, CallError>,
    member: &Member,
    order: &Order,
    deadline: Deadline,
) -> Result<Applied, CallError> {
    let mut pause = SHORTEST_PAUSE;
    while outcome.as_ref().is_err_and(is_busy) {
        let wait = rand::random_range(pause / 2..=pause);
        if Instant::now() + wait >= deadline.instant() {
            break;
        }
        sleep(wait).await;
        outcome = call_once(member, order, deadline).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    outcome
}

async fn call_once(member: &Member, order: &Order, deadline: Deadline) -> Result<Applied, CallError> {
    match order {
        Order::Set(config) => member.client.set_ingress_config(config, deadline).await,
        Order::Delete(config) => member.client.del_ingress_config(config, deadline).await,
    }
}

fn is_busy(error: &CallError) -> bool {
    match error {
        CallError::Overloaded { .. } => true,
        CallError::Fault(fault) => fault.kind == FaultKind::Overloaded,
        _ => false,
    }
}

fn report(name: &AgentName, outcome: Result<Applied, CallError>) -> Report {
    let (verdict, reason) = verdict(outcome.map(drop));
    (name.clone(), verdict, reason)
}

fn offline(name: &AgentName) -> Report {
    (name.clone(), Verdict::Offline, "it went offline during the push".to_owned())
}

#[cfg(test)]
mod tests;
