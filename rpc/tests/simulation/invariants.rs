//! What must hold of every run, whatever went wrong in it: decided from its trace alone.

use super::trace::{Entry, Step};
use std::{collections::BTreeMap, time::Duration};

/// The clock's resolution, once for the deadline and once for the task that wakes.
const TICK: Duration = Duration::from_millis(2);

/// What is known of one call.
#[derive(Default)]
struct Call {
    deadline: Duration,
    sent: Option<(u32, u64)>,
    starts: Vec<(Duration, bool)>,
    outcomes: usize,
    safe_to_resend: bool,
    ended: Option<Duration>,
}

/// Says what is wrong with a run. A message may be under way for `on_the_wire`, which no deadline can count.
pub(crate) fn check(trace: &[Entry], on_the_wire: Duration) -> Result<(), String> {
    let mut calls = BTreeMap::<u32, Call>::new();
    for (now, step) in trace {
        take(&mut calls, *now, step)?;
    }
    for (id, call) in &calls {
        hold(call, on_the_wire).map_err(|what| format!("call {id}: {what}"))?;
    }
    lost_links_end_calls(trace, &calls)
}

fn take(calls: &mut BTreeMap<u32, Call>, now: Duration, step: &Step) -> Result<(), String> {
    match step {
        Step::Called { call, deadline } => calls.entry(*call).or_default().deadline = *deadline,
        Step::Sent { call, process, generation } => {
            calls.entry(*call).or_default().sent = Some((*process, *generation));
        }
        Step::Started { call, redelivered, .. } => {
            calls.entry(*call).or_default().starts.push((now, *redelivered));
        }
        Step::Ended { call: id, outcome } => {
            let call = calls.entry(*id).or_default();
            call.outcomes += 1;
            call.ended = Some(now);
            match outcome {
                Ok(answered) if answered != id => {
                    return Err(format!("call {id}: it got the answer to call {answered}"));
                }
                Ok(_) => {}
                Err(error) => call.safe_to_resend = error.is_safe_to_resend(),
            }
        }
        Step::Dropped { call } => {
            let call = calls.entry(*call).or_default();
            call.outcomes += 1;
            call.ended = Some(now);
        }
        Step::Left { process, in_flight } if *in_flight > 0 => {
            return Err(format!("process {process}: {in_flight} waiters leaked"));
        }
        Step::Left { .. } | Step::Lost { .. } | Step::Killed { .. } => {}
    }
    Ok(())
}

fn hold(call: &Call, on_the_wire: Duration) -> Result<(), String> {
    if call.outcomes != 1 {
        return Err(format!("it has {} outcomes", call.outcomes));
    }
    if let Some(ended) = call.ended.filter(|ended| *ended > call.deadline + TICK) {
        return Err(format!("it ended at {ended:?}, after its deadline {:?}", call.deadline));
    }
    let last_start = call.deadline + on_the_wire;
    if let Some((started, _)) = call.starts.iter().find(|(started, _)| *started > last_start) {
        return Err(format!("its handler started at {started:?}, after its deadline {:?}", call.deadline));
    }
    if call.safe_to_resend && !call.starts.is_empty() {
        return Err("it is said to be safe to resend, but its handler ran".to_owned());
    }
    if call.starts.iter().filter(|(_, redelivered)| !redelivered).count() > 1 {
        return Err("its handler ran twice for what was delivered once".to_owned());
    }
    Ok(())
}

/// What was in flight over a link ends with it, at once.
fn lost_links_end_calls(trace: &[Entry], calls: &BTreeMap<u32, Call>) -> Result<(), String> {
    for (position, (lost_at, step)) in trace.iter().enumerate() {
        let Step::Lost { process, generation } = step else { continue };
        for (_, before) in &trace[..position] {
            let Step::Sent { call: id, .. } = before else { continue };
            let Some(call) = calls.get(id) else { continue };
            let over_it = call.sent.is_some_and(|(sender, over)| sender == *process && over <= *generation);
            if over_it && call.ended.is_some_and(|ended| ended > *lost_at + TICK) {
                return Err(format!("call {id}: it outlived the link that was lost at {lost_at:?}"));
            }
        }
    }
    Ok(())
}
