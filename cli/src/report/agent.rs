//! One agent in detail.

use super::{
    agents::{labels, problems, revision},
    text::{duration, fields},
};
use bellwether_proto::http::{AgentDetail, AgentView, ConfigAt};

pub(super) fn text(detail: &AgentDetail) -> String {
    let AgentDetail { agent, generation, store_id, desired_digest, desired } = detail;
    let AgentView { name, state, instance, version, last_seen_age_ms, converged, digest, .. } = agent;
    let serves =
        if *converged { "what it should".to_owned() } else { format!("{digest} (not what it should)") };
    let should = desired.iter().map(|ConfigAt { name, revision }| format!("{name}@{revision}"));
    let should: Vec<_> = should.collect();
    fields(&[
        ("name", name.to_string()),
        ("state", state.to_string()),
        ("last seen", format!("{} ago", duration(*last_seen_age_ms))),
        ("serves", serves),
        ("should serve", if should.is_empty() { "nothing".to_owned() } else { should.join("\n") }),
        ("digest", desired_digest.to_string()),
        ("revision", revision(agent.revision)),
        ("store", store_id.map_or_else(|| "-".to_owned(), |store| store.to_string())),
        ("labels", labels(&agent.labels)),
        ("version", version.clone()),
        ("instance", format!("{instance}, connection {generation}")),
        ("error", problems(agent)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use bellwether_ingress::{Digest, Revision};
    use bellwether_proto::{StoreId, http::AgentState};

    #[test]
    fn an_agent_is_shown_with_what_it_should_serve_and_why_it_does_not() {
        let mut agent = sample::agent_view("node-1", AgentState::Online);
        agent.converged = false;
        agent.last_error = Some("shop@42: check:\nport taken".to_owned());
        let (instance, store) = (agent.instance, StoreId::new());
        let at = |name: &str, revision| ConfigAt { name: name.parse().unwrap(), revision };
        let detail = AgentDetail {
            agent,
            generation: 3,
            store_id: Some(store),
            desired_digest: Digest::empty_set(),
            desired: vec![at("blog", Revision::from(7)), at("shop", Revision::from(42))],
        };
        let digest = Digest::empty_set();
        assert_eq!(
            text(&detail),
            format!(
                "name          node-1\n\
                 state         online\n\
                 last seen     400 ms ago\n\
                 serves        {digest} (not what it should)\n\
                 should serve  blog@7\n\
                 \u{20}             shop@42\n\
                 digest        {digest}\n\
                 revision      42\n\
                 store         {store}\n\
                 labels        zone=eu\n\
                 version       0.1.0\n\
                 instance      {instance}, connection 3\n\
                 error         shop@42: check:\n\
                 \u{20}             port taken"
            )
        );
    }
}
