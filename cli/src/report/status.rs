//! How the fleet stands: what is wrong first, then its store, its agents, its configs and its controllers.

use super::{
    Style,
    table::{Rows, Tone, plain},
    text::{counted, duration, printable, thousands},
};
use bellwether_proto::http::{ConfigStatus, StatusView};

/// How often agents of a fleet beat that is within its budget.
const USUAL_INTERVAL_MS: u64 = 1_000;

pub(super) fn text(status: &StatusView, style: Style) -> String {
    let mut parts = vec![head(status)];
    if !status.configs.is_empty() {
        parts.push(configs(&status.configs, style));
    }
    if !status.controllers.is_empty() {
        parts.push(controllers(status, style));
    }
    parts.join("\n\n")
}

fn head(status: &StatusView) -> String {
    let StatusView { fleet, store_id, revision, .. } = status;
    let mut lines = Vec::new();
    if status.store_behind_fleet {
        let reason =
            status.reason.as_deref().unwrap_or("the store is behind the fleet: see `bellwether adopt`");
        let highest =
            status.highest_reported_revision.map(|highest| format!(" (agents are at revision {highest})"));
        lines.push(format!("ATTENTION: {}{}", printable(reason), highest.unwrap_or_default()));
    }
    lines.push(format!("fleet {fleet}: revision {revision} of store {store_id}"));
    lines.push(agents(status));
    lines.extend(pace(status));
    lines.join("\n")
}

/// `3 agents: 2 online, 1 offline; 2 of 3 converged; all that are there beat within the last 1.2 s`.
fn agents(status: &StatusView) -> String {
    let counts = status.agents;
    let states = [(counts.online, "online"), (counts.offline, "offline"), (counts.unknown, "unknown")];
    let states = states.iter().filter(|(count, _)| *count > 0);
    let states: Vec<_> = states.map(|(count, state)| format!("{} {state}", thousands(*count))).collect();
    if states.is_empty() {
        return "no agents yet".to_owned();
    }
    let oldest = status.oldest_beat_age_ms.map(|age| format!("; the oldest beat is {} old", duration(age)));
    format!(
        "{}: {}; {} converged{}",
        counted(counts.all(), "agent"),
        states.join(", "),
        of(status.converged, counts.all()),
        oldest.unwrap_or_default()
    )
}

/// Only where it is not what people expect.
fn pace(status: &StatusView) -> Option<String> {
    let (interval, counts) = (status.beat_interval_ms, status.time_to_live_ms);
    (interval > USUAL_INTERVAL_MS).then(|| {
        format!(
            "agents beat every {}, and a beat counts for {}: the fleet has outgrown --beat-budget",
            duration(interval),
            duration(counts)
        )
    })
}

fn configs(configs: &[ConfigStatus], style: Style) -> String {
    let mut rows = Rows::new(style, &["CONFIG", "REVISION", "CONVERGED"], 3);
    for ConfigStatus { name, revision, converged, agents } in configs {
        let tone = if converged < agents { Tone::Bad } else { Tone::Good };
        rows.add([plain(name), plain(revision), (of(*converged, *agents), tone)]);
    }
    rows.finish()
}

fn controllers(status: &StatusView, style: Style) -> String {
    let mut rows = Rows::new(style, &["CONTROLLER", "VERSION", "LISTENING SINCE"], 3);
    for controller in &status.controllers {
        let since = match &controller.listening_since {
            Some(since) => plain(since),
            None => ("it does not hear the fleet".to_owned(), Tone::Doubtful),
        };
        rows.add([plain(controller.instance), plain(&controller.version), since]);
    }
    rows.finish()
}

fn of(some: usize, all: usize) -> String {
    if all == 0 { "no agent".to_owned() } else { format!("{} of {}", thousands(some), thousands(all)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Output;
    use bellwether_ingress::Revision;
    use bellwether_proto::{
        Fleet, StoreId,
        http::{AgentCounts, ControllerView},
    };
    use bellwether_rpc::Instance;

    fn status() -> StatusView {
        let config = |name: &str, converged, agents| ConfigStatus {
            name: name.parse().unwrap(),
            revision: Revision::from(7),
            converged,
            agents,
        };
        let controller = |since: Option<&str>| ControllerView {
            instance: Instance::new(),
            version: "0.1.0".into(),
            listening_since: since.map(str::to_owned),
        };
        StatusView {
            fleet: Fleet::default(),
            store_id: StoreId::new(),
            revision: Revision::from(42),
            store_behind_fleet: false,
            reason: None,
            highest_reported_revision: None,
            agents: AgentCounts { online: 998, offline: 2, unknown: 0 },
            converged: 997,
            beat_interval_ms: 1_000,
            time_to_live_ms: 3_000,
            oldest_beat_age_ms: Some(1_234),
            configs: vec![config("blog", 997, 1_000), config("lab", 0, 0)],
            controllers: vec![controller(Some("2026-01-02T03:04:05.678Z")), controller(None)],
        }
    }

    #[test]
    fn a_fleet_is_summed_up_with_its_configs_and_controllers() {
        let status = status();
        let [one, other] = status.controllers.as_slice() else { panic!() };
        assert_eq!(
            text(&status, Style::plain(Output::Table)),
            format!(
                "fleet default: revision 42 of store {}\n\
                 1,000 agents: 998 online, 2 offline; 997 of 1,000 converged; the oldest beat is 1.2 s old\n\
                 \n\
                 CONFIG  REVISION  CONVERGED\n\
                 blog    7         997 of 1,000\n\
                 lab     7         no agent\n\
                 \n\
                 CONTROLLER                            VERSION  LISTENING SINCE\n\
                 {}  0.1.0    2026-01-02T03:04:05.678Z\n\
                 {}  0.1.0    it does not hear the fleet",
                status.store_id, one.instance, other.instance
            )
        );
    }

    #[test]
    fn a_store_that_is_behind_comes_first() {
        let behind = StatusView {
            store_behind_fleet: true,
            reason: Some("the store is behind the fleet: run `bellwether adopt`".into()),
            highest_reported_revision: Some(Revision::from(41)),
            ..status()
        };
        let text = text(&behind, Style::plain(Output::Table));
        let first =
            "ATTENTION: the store is behind the fleet: run `bellwether adopt` (agents are at revision 41)\n";
        assert!(text.starts_with(first), "{text}");
    }

    #[test]
    fn a_fleet_that_beats_more_seldom_says_so() {
        let large = StatusView { beat_interval_ms: 2_000, time_to_live_ms: 6_000, ..status() };
        let text = text(&large, Style::plain(Output::Table));
        let line =
            "agents beat every 2.0 s, and a beat counts for 6.0 s: the fleet has outgrown --beat-budget";
        assert_eq!(text.lines().nth(2), Some(line), "{text}");
    }

    #[test]
    fn a_fleet_without_anything_is_two_lines() {
        let empty = StatusView {
            agents: AgentCounts::default(),
            configs: Vec::new(),
            controllers: Vec::new(),
            ..status()
        };
        let text = text(&empty, Style::plain(Output::Table));
        assert!(text.ends_with("\nno agents yet") && text.lines().count() == 2, "{text}");
    }
}
