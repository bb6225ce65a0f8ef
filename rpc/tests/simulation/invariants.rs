//! What must hold of every run, whatever went wrong in it: decided from its trace alone.

use super::{
    history::{Call, End, calls},
    trace::{Entry, Step, Whom},
};
use bellwether_rpc::{CallError, FaultKind};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The clock's resolution, once for the deadline and once for the task that wakes.
const TICK: Duration = Duration::from_millis(2);

type Verdict = Result<(), String>;

/// Says what is wrong with a run. A message may be under way for `on_the_wire`, which no deadline can count.
pub(crate) fn check(trace: &[Entry], on_the_wire: Duration) -> Verdict {
    let calls = calls(trace);
    for (id, call) in &calls {
        hold(*id, call, on_the_wire).map_err(|what| format!("call {id}: {what}"))?;
    }
    lost_links_end_calls(trace, &calls)?;
    queues_keep_their_order(trace, &calls)?;
    no_waiter_leaks(trace)?;
    every_answer_is_taken_or_counted(trace, &calls)
}

fn hold(id: u32, call: &Call, on_the_wire: Duration) -> Verdict {
    answers_are_its_own(id, call)?;
    it_ends_once(call)?;
    it_ends_in_time(call)?;
    handlers_start_in_time(call, on_the_wire)?;
    a_resend_is_safe_where_it_is_said_to_be(call)?;
    only_the_instance_that_is_meant_runs_it(call)?;
    handlers_run_once_a_delivery(call)?;
    nobody_answers_a_notification(call)
}

fn answers_are_its_own(id: u32, call: &Call) -> Verdict {
    for End { peer, outcome, .. } in &call.ends {
        let Ok(Some(done)) = outcome else { continue };
        if done.call != id {
            return Err(format!("it got the answer to call {}", done.call));
        }
        let instance = if let Whom::Instance(meant) = call.whom { Some(meant) } else { None };
        if let Some(expected) = peer.or(instance).filter(|expected| *expected != done.by) {
            return Err(format!("the answer of {} was taken for that of {expected}", done.by));
        }
    }
    Ok(())
}

/// As a whole; or, once it has gone to everyone, for each peer that was expected.
fn it_ends_once(call: &Call) -> Verdict {
    let of = |peer| call.ends.iter().filter(|end| end.peer == peer).count();
    let (whole, dropped) = (of(None), usize::from(call.dropped.is_some()));
    let peers = match &call.whom {
        Whom::Everyone(peers) if !call.notification && whole == 0 => peers.as_slice(),
        _ if whole + dropped == 1 && call.ends.len() == whole => return Ok(()),
        _ => return Err(format!("it has {} outcomes", call.ends.len() + dropped)),
    };
    for peer in peers {
        let outcomes = of(Some(*peer));
        if outcomes > 1 || outcomes + dropped == 0 {
            return Err(format!("it has {outcomes} outcomes of peer {peer}"));
        }
    }
    let stranger = call.ends.iter().filter_map(|end| end.peer).find(|peer| !peers.contains(peer));
    stranger.map_or(Ok(()), |stranger| Err(format!("it has an outcome of {stranger}, who was not asked")))
}

fn it_ends_in_time(call: &Call) -> Verdict {
    match call.ended() {
        Some(ended) if ended > call.deadline + TICK => {
            Err(format!("it ended at {ended:?}, after its deadline {:?}", call.deadline))
        }
        _ => Ok(()),
    }
}

fn handlers_start_in_time(call: &Call, on_the_wire: Duration) -> Verdict {
    let last_start = call.deadline + on_the_wire;
    call.starts.iter().find(|start| start.at > last_start).map_or(Ok(()), |late| {
        Err(format!("its handler started at {:?}, after its deadline {:?}", late.at, call.deadline))
    })
}

fn a_resend_is_safe_where_it_is_said_to_be(call: &Call) -> Verdict {
    for End { peer, outcome, .. } in &call.ends {
        let safe = outcome.as_ref().is_err_and(CallError::is_safe_to_resend);
        if safe && call.starts.iter().any(|start| peer.is_none_or(|peer| peer == start.process)) {
            return Err("it is said to be safe to resend, but its handler ran".to_owned());
        }
    }
    Ok(())
}

/// What went to everyone was delivered to each process once; anything else to one.
fn handlers_run_once_a_delivery(call: &Call) -> Verdict {
    for (process, delivered) in &call.delivered {
        let starts = || call.starts.iter().filter(|start| start.process == *process);
        let first = match call.whom {
            Whom::Everyone(_) => starts().filter(|start| !start.redelivered).count(),
            Whom::One | Whom::Instance(_) => call.starts.iter().filter(|start| !start.redelivered).count(),
        };
        if first > 1 {
            return Err("its handler ran twice for what was delivered once".to_owned());
        }
        if starts().count() > *delivered {
            return Err(format!("its handler ran more often than it was delivered to {process}"));
        }
    }
    Ok(())
}

/// And what the others say ends nothing.
fn only_the_instance_that_is_meant_runs_it(call: &Call) -> Verdict {
    let Whom::Instance(meant) = call.whom else { return Ok(()) };
    if let Some(start) = call.starts.iter().find(|start| start.process != meant) {
        return Err(format!("it was meant for {meant}, but ran on {}", start.process));
    }
    let refused = |end: &End| matches!(&end.outcome, Err(CallError::Fault(fault)) if fault.kind == FaultKind::Unavailable);
    if call.ends.iter().any(refused) {
        return Err(format!("it was meant for {meant}, but ended in the refusal of another instance"));
    }
    Ok(())
}

fn nobody_answers_a_notification(call: &Call) -> Verdict {
    if call.notification && call.arrived > 0 {
        return Err("it is a notification, but it was answered".to_owned());
    }
    Ok(())
}

/// What was in flight over a link ends with it, at once.
fn lost_links_end_calls(trace: &[Entry], calls: &BTreeMap<u32, Call>) -> Verdict {
    for (position, (lost_at, step)) in trace.iter().enumerate() {
        let Step::Lost { process, generation } = step else { continue };
        for (_, before) in &trace[..position] {
            let Step::Sent { call: id, .. } = before else { continue };
            let Some(call) = calls.get(id) else { continue };
            let over_it = call.sent.is_some_and(|(sender, over)| sender == *process && over <= *generation);
            if over_it && call.ended().is_some_and(|ended| ended > *lost_at + TICK) {
                return Err(format!("call {id}: it outlived the link that was lost at {lost_at:?}"));
            }
        }
    }
    Ok(())
}

/// A queued method gets its calls in the order in which they came to its process.
fn queues_keep_their_order(trace: &[Entry], calls: &BTreeMap<u32, Call>) -> Verdict {
    let mut waiting = BTreeMap::<u32, VecDeque<u32>>::new();
    for (_, step) in trace {
        let queued = step.call().and_then(|call| calls.get(&call)).is_some_and(|call| call.queued);
        match step {
            Step::Delivered { call, process } if queued => {
                waiting.entry(*process).or_default().push_back(*call);
            }
            Step::Started { call, process, .. } if queued => {
                let waiting = waiting.entry(*process).or_default();
                let Some(place) = waiting.iter().position(|earlier| earlier == call) else {
                    return Err(format!("call {call}: one that came later overtook it in a queue"));
                };
                waiting.drain(..=place);
            }
            _ => {}
        }
    }
    Ok(())
}

fn no_waiter_leaks(trace: &[Entry]) -> Verdict {
    for (_, step) in trace {
        if let Step::Left { process, in_flight: in_flight @ 1.. } = step {
            return Err(format!("process {process}: {in_flight} waiters leaked"));
        }
    }
    Ok(())
}

/// One that nobody waits for, a late one or a duplicate, is dropped, and counted. (That cannot be reckoned up where
/// peers were probed, or where a call to everyone was dropped with answers that it had not looked at.)
fn every_answer_is_taken_or_counted(trace: &[Entry], calls: &BTreeMap<u32, Call>) -> Verdict {
    let unreckoned = |call: &Call| call.dropped.is_some() && matches!(call.whom, Whom::Everyone(_));
    let probed = trace.iter().any(|(_, step)| matches!(step, Step::Probed { .. }));
    if probed || calls.values().any(unreckoned) {
        return Ok(());
    }
    let is_answer = |end: &&End| matches!(end.outcome, Ok(Some(_)) | Err(CallError::Fault(_)));
    let taken: usize = calls.values().map(|call| call.ends.iter().filter(is_answer).count()).sum();
    let arrived: u64 = calls.values().map(|call| call.arrived).sum();
    let ignored = trace.iter().find_map(|(_, step)| match step {
        Step::Ignored { answers } => Some(*answers),
        _ => None,
    });
    let accounted = taken as u64 + ignored.unwrap_or_default();
    if arrived == accounted {
        Ok(())
    } else {
        Err(format!("{arrived} answers came, but {accounted} were taken or counted"))
    }
}
