//! What a node refuses is told in its own words, and everybody else serves.

use bellwether_proto::http::Verdict;
use bellwether_tests::{Fleet, FleetBuilder, folder};
use std::path::Path;
use tempfile::TempDir;

use crate::documents::{document, document_for};

/// Refuses a set with a config of this name; says so on both outputs.
fn refuse(folder: &Path, config: &str) -> String {
    let script = folder.join(format!("refuse-{config}.sh"));
    let text = format!(
        "grep -q '\"name\": *\"{config}\"' \"$BELLWETHER_DIR/ingress.json\" || exit 0\n\
         echo 'the proxy has read it'\necho 'no such module: {config}' >&2\nexit 1\n"
    );
    std::fs::write(&script, text).expect("a new file in our own folder");
    format!("sh {}", script.display())
}

/// `node-1` in the zone `eu`, `node-2` and `node-3`, of which the last refuses `sour`; all refuse `poison`.
async fn picky_fleet() -> (FleetBuilder, TempDir) {
    let scripts = folder("scripts");
    let poison = refuse(scripts.path(), "poison");
    let both = format!("{poison} && {}", refuse(scripts.path(), "sour"));
    let fleet = Fleet::shared().await.agent("node-1", &["--label", "zone=eu", "--check", &poison]);
    (fleet.agent("node-2", &["--check", &poison]).agent("node-3", &["--check", &both]), scripts)
}

#[tokio::test]
async fn what_one_refuses_the_others_apply_and_what_all_refuse_nobody_serves() {
    let (fleet, _scripts) = picky_fleet().await;
    let fleet = fleet.start().await;
    assert_eq!(fleet.push(&document("sweet", 8080), &[]).await.counts(), (0, 3, 3));

    let sour = fleet.push(&document("sour", 8081), &[]).await;
    assert_eq!(sour.counts(), (3, 3, 2), "{sour:#?}");
    assert_eq!(sour.failures(), [("node-3", Verdict::Rejected)]);
    let reason = &sour.rollout().failures.as_ref().expect("failures")[0].reason;
    assert!(reason.contains("no such module: sour") && reason.contains("the proxy has read it"), "{reason}");
    assert_eq!(fleet.agent("node-1").serves(), ["sour", "sweet"]);
    assert_eq!(fleet.agent("node-3").serves(), ["sweet"]);
    let shown = fleet.controller(1).agent("node-3").await.expect("it is there");
    assert!(!shown.converged);

    let deleted = fleet.delete("sour").await;
    assert_eq!(deleted.counts(), (0, 3, 3), "{deleted:#?}");
    fleet.wait_until_converged().await;

    let poison = fleet.push(&document("poison", 8082), &[]).await;
    assert_eq!(poison.counts(), (4, 3, 0), "{poison:#?}");
    let all = [("node-1", Verdict::Rejected), ("node-2", Verdict::Rejected), ("node-3", Verdict::Rejected)];
    assert_eq!(poison.failures(), all);
    for agent in fleet.agents() {
        assert_eq!(agent.serves(), ["sweet"], "{}", agent.name());
    }
}

#[tokio::test]
async fn a_selector_chooses_and_one_that_matches_nobody_is_an_error_of_its_own() {
    let (fleet, _scripts) = picky_fleet().await;
    let fleet = fleet.start().await;

    let europe = fleet.push(&document_for("europe", 8080, "zone=eu"), &[]).await;
    assert_eq!(europe.counts(), (0, 1, 1), "{europe:#?}");
    assert_eq!(fleet.agent("node-1").serves(), ["europe"]);
    assert_eq!(fleet.agent("node-2").serves(), Vec::<String>::new());

    let mars = fleet.push(&document_for("mars", 8081, "zone=mars"), &[]).await;
    assert_eq!(mars.counts(), (5, 0, 0), "{mars:#?}");
    let configs = fleet.controller(1).configs().await.expect("a list");
    let names: Vec<_> = configs.iter().map(|config| config.name.as_str()).collect();
    assert_eq!(names, ["europe", "mars"]);
    fleet.wait_until_converged().await;
    assert_eq!(fleet.agent("node-1").serves(), ["europe"]);
}
