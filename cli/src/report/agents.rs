//! The list of agents, and a line that sums it up.

use super::{
    Style,
    table::{Rows, Tone, plain},
    text::{counted, duration, thousands},
};
use bellwether_ingress::{Labels, Revision};
use bellwether_proto::http::{AgentState, AgentView};

const NONE: &str = "No agents yet. Start one with `bellwether-agent --name NAME`, or three at once with \
                    `bellwether dev`.";
const HEADER: [&str; 8] =
    ["NAME", "STATE", "REVISION", "CONVERGED", "LAST SEEN", "VERSION", "LABELS", "ERROR"];

pub(super) fn text(agents: &[AgentView], style: Style) -> String {
    if agents.is_empty() {
        return NONE.to_owned();
    }
    let mut by_name: Vec<_> = agents.iter().collect();
    by_name.sort_by_key(|agent| &agent.name);
    let mut rows = Rows::new(style, &HEADER, 6);
    for agent in by_name {
        rows.add([
            plain(&agent.name),
            state(agent.state),
            plain(revision(agent.revision)),
            converged(agent.converged),
            plain(format!("{} ago", duration(agent.last_seen_age_ms))),
            plain(&agent.version),
            plain(labels(&agent.labels)),
            plain(problems(agent)),
        ]);
    }
    format!("{}\n\n{}", rows.finish(), summary(agents))
}

fn state(state: AgentState) -> (String, Tone) {
    let tone = match state {
        AgentState::Online => Tone::Good,
        AgentState::Offline => Tone::Bad,
        AgentState::Unknown => Tone::Doubtful,
    };
    (state.to_string(), tone)
}

pub(super) fn revision(revision: Revision) -> String {
    if revision == Revision::ZERO { "-".to_owned() } else { revision.to_string() }
}

fn converged(converged: bool) -> (String, Tone) {
    if converged { ("yes".to_owned(), Tone::Good) } else { ("no".to_owned(), Tone::Bad) }
}

pub(super) fn labels(labels: &Labels) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

/// Why it does not serve what it should, a line for each reason.
pub(super) fn problems(agent: &AgentView) -> String {
    let conflict = agent.conflict.then_some("another process beats under this name");
    let errors = [conflict, agent.last_error.as_deref()];
    errors.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// `3 agents: 2 online, 1 offline; 2 converged`.
fn summary(agents: &[AgentView]) -> String {
    let states = [AgentState::Online, AgentState::Offline, AgentState::Unknown];
    let counts = states.map(|state| (state, agents.iter().filter(|agent| agent.state == state).count()));
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<_> = counts.map(|(state, count)| format!("{} {state}", thousands(*count))).collect();
    let converged = agents.iter().filter(|agent| agent.converged).count();
    format!(
        "{}: {}; {} converged",
        counted(agents.len(), "agent"),
        counts.join(", "),
        if converged == agents.len() { "all".to_owned() } else { thousands(converged) }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Output, sample::agent_view as agent};

    #[test]
    fn agents_are_listed_by_name_with_a_line_that_sums_up() {
        let mut lost = agent("node-2", AgentState::Offline);
        lost.revision = Revision::ZERO;
        lost.converged = false;
        lost.last_seen_age_ms = 3 * 3_600_000;
        lost.conflict = true;
        lost.last_error = Some("check failed".into());
        let text = text(&[lost, agent("node-1", AgentState::Online)], Style::plain(Output::Table));
        assert_eq!(
            text,
            "NAME    STATE    REVISION  CONVERGED  LAST SEEN   VERSION  LABELS   ERROR\n\
             node-1  online   42        yes        400 ms ago  0.1.0    zone=eu\n\
             node-2  offline  -         no         3 h ago     0.1.0    zone=eu  another process beats under this name\n\
             \u{20}                                                                   check failed\n\
             \n\
             2 agents: 1 online, 1 offline; 1 converged"
        );
    }

    #[test]
    fn colours_are_only_there_when_asked_for() {
        let agents = [agent("node-1", AgentState::Online)];
        let plain = Style::plain(Output::Table);
        assert!(!text(&agents, plain).contains('\u{1b}'));
        assert!(text(&agents, Style { colours: true, ..plain }).contains('\u{1b}'));
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        assert!(text(&[], Style::plain(Output::Table)).contains("bellwether-agent"));
    }
}
