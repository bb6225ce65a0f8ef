//! What a simulation did, in a few lines.

use super::text::counted;
use crate::simulate::Summary;

pub(super) fn text(summary: &Summary) -> String {
    let Summary { agents, connections, elapsed_ms, reachable, beats, applied, .. } = summary;
    let Summary { rejected, stalled, failed, churned, .. } = summary;
    let seconds = *elapsed_ms as f64 / 1_000.0;
    let connections = counted(*connections as usize, "connection");
    format!(
        "{agents} agents on {connections} for {seconds:.1} s: {reachable} reachable at the end, {churned} came and went\n\
         {beats} beats; sets: {applied} applied, {rejected} rejected, {stalled} stalled, {failed} failed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_all_agents_did() {
        let summary = Summary {
            agents: 100,
            connections: 1,
            elapsed_ms: 2_500,
            reachable: 99,
            beats: 250,
            applied: 97,
            rejected: 1,
            stalled: 1,
            failed: 0,
            churned: 3,
        };
        assert_eq!(
            text(&summary),
            "100 agents on 1 connection for 2.5 s: 99 reachable at the end, 3 came and went\n\
             250 beats; sets: 97 applied, 1 rejected, 1 stalled, 0 failed"
        );
    }
}
