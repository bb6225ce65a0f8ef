//! The `file` driver on real folders, with real commands.

use super::*;
use crate::driver::{Blame, Driver as _, Step};
use crate::{set::ConfigSet, testing::whole};
use bellwether_ingress::Digest;
use bellwether_proto::StoreId;
use std::{fs, time::Duration};

struct Case {
    folder: tempfile::TempDir,
    store: StoreId,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), store: StoreId::new() }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn driver(&self, check: Option<&str>, reload: Option<&str>) -> FileDriver {
        self.driver_with(FileOptions { template: None, check: check.map(hook), reload: reload.map(hook) })
    }

    fn driver_with(&self, options: FileOptions) -> FileDriver {
        FileDriver::new(&self.folder.path().canonicalize().unwrap(), options).unwrap()
    }

    fn set(&self, head: u64, members: &[(&str, u64)]) -> EffectiveSet {
        ConfigSet::of_whole(&whole(self.store, head, members)).effective().unwrap()
    }

    fn current(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path("current/ingress.json")).unwrap()).unwrap()
    }

    fn sets(&self) -> usize {
        fs::read_dir(self.path("sets")).unwrap().count()
    }
}

fn hook(command: &str) -> Hook {
    Hook { command: command.to_owned(), time_limit: Duration::from_secs(20) }
}

#[tokio::test]
async fn a_set_serves_as_ingress_json_under_current_and_so_does_the_empty_one() {
    let case = Case::new();
    let mut driver = case.driver(None, None);
    driver.apply(&case.set(0, &[])).await.unwrap();
    let empty = case.current();
    assert_eq!(empty["digest"], Digest::empty_set().to_string());
    assert_eq!(empty["configs"], serde_json::json!([]));
    let set = case.set(9, &[("b", 9), ("a", 4)]);
    driver.apply(&set).await.unwrap();
    let current = case.current();
    assert_eq!(current["digest"], set.digest.to_string());
    assert_eq!((&current["revision"], &current["store_id"]), (&9.into(), &case.store.to_string().into()));
    assert_eq!(current["configs"][0]["metadata"]["name"], "a");
    assert_eq!(current["configs"][1]["metadata"]["name"], "b");
    assert_eq!(current.as_object().unwrap().len(), 4);
    let target = fs::read_link(case.path("current")).unwrap();
    assert!(
        target.to_str().unwrap().starts_with(&format!("sets/{}", &set.digest.to_string()[..16])),
        "{target:?}"
    );
}

#[tokio::test]
async fn a_template_is_rendered_beside_it_under_its_own_name() {
    let case = Case::new();
    let template = case.path("proxy.conf");
    fs::write(
        &template,
        "# {{ digest }} {{ revision }}\n{% for c in configs %}{{ c.metadata.name }}<\n{% endfor %}",
    )
    .unwrap();
    let mut driver = case.driver_with(FileOptions { template: Some(template), ..FileOptions::default() });
    let set = case.set(9, &[("b", 9), ("a", 4)]);
    driver.apply(&set).await.unwrap();
    let rendered = fs::read_to_string(case.path("current/proxy.conf")).unwrap();
    assert_eq!(rendered, format!("# {} 9\na<\nb<\n", set.digest));
}

#[tokio::test]
async fn a_template_that_fails_refuses_the_set_and_what_is_none_is_refused_at_once() {
    let case = Case::new();
    let template = case.path("proxy.conf");
    fs::write(&template, "{{ no.such }}").unwrap();
    let mut driver =
        case.driver_with(FileOptions { template: Some(template.clone()), ..FileOptions::default() });
    let refused = driver.apply(&case.set(0, &[])).await.unwrap_err();
    assert_eq!(refused.step, Step::Render, "{refused}");
    fs::write(&template, "{% if %}").unwrap();
    let options = FileOptions { template: Some(template), ..FileOptions::default() };
    assert!(matches!(FileDriver::new(case.folder.path(), options), Err(TemplateError::Invalid { .. })));
}

#[tokio::test]
async fn a_set_that_the_check_refuses_never_comes_to_serve() {
    let case = Case::new();
    let check =
        r#"grep -q '"name":"bad"' "$BELLWETHER_DIR/ingress.json" && echo 'bad is bad' && exit 1; exit 0"#;
    let mut driver = case.driver(Some(check), None);
    driver.apply(&case.set(1, &[("a", 1)])).await.unwrap();
    let refused = driver.apply(&case.set(2, &[("a", 1), ("bad", 2)])).await.unwrap_err();
    assert_eq!(refused, Failure::of_set("exit status: 1: bad is bad").at(Step::Check));
    assert_eq!(case.current()["revision"], 1);
    assert_eq!(case.sets(), 1, "what was refused is not kept");
}

#[tokio::test]
async fn after_a_failed_reload_the_set_before_is_put_back_and_reloaded() {
    let case = Case::new();
    // What a proxy would have loaded: what `current` points to, if it is not bad.
    let loaded = case.path("loaded");
    let reload = format!(
        r#"cp "$BELLWETHER_DIR/ingress.json" {0}; echo "$BELLWETHER_DIGEST" >> {0}.log; ! grep -q '"name":"bad"' {0}"#,
        loaded.display()
    );
    let mut driver = case.driver(None, Some(&reload));
    let good = case.set(1, &[("a", 1)]);
    driver.apply(&good).await.unwrap();
    let bad = case.set(2, &[("bad", 2)]);
    let refused = driver.apply(&bad).await.unwrap_err();
    assert_eq!(refused, Failure::of_set("exit status: 1").at(Step::Reload));
    assert_eq!(case.current()["digest"], good.digest.to_string());
    assert_eq!(fs::read(&loaded).unwrap(), fs::read(case.path("current/ingress.json")).unwrap());
    let log = fs::read_to_string(case.path("loaded.log")).unwrap();
    assert_eq!(log, format!("{0}\n{1}\n{0}\n", good.digest, bad.digest));
}

#[tokio::test]
async fn when_the_set_before_cannot_be_reloaded_either_both_are_told() {
    let case = Case::new();
    case.driver(None, None).apply(&case.set(1, &[("a", 1)])).await.unwrap();
    let mut driver = case.driver(None, Some("echo no >&2; exit 7"));
    let refused = driver.apply(&case.set(2, &[("a", 2)])).await.unwrap_err().to_string();
    let both = "reload: exit status: 7: no; the set before could not be reloaded either: exit status: 7: no";
    assert_eq!(refused, both);
    assert_eq!(case.current()["revision"], 1);
}

#[tokio::test]
async fn a_first_set_that_cannot_be_reloaded_leaves_no_current() {
    let case = Case::new();
    case.driver(None, Some("exit 1")).apply(&case.set(1, &[("a", 1)])).await.unwrap_err();
    assert!(!case.path("current").exists() && case.path("current").symlink_metadata().is_err());
}

#[tokio::test]
async fn old_sets_are_kept_up_to_a_bound_and_the_current_one_always() {
    let case = Case::new();
    let mut driver = case.driver(None, None);
    for head in 1..=6 {
        driver.apply(&case.set(head, &[("a", head)])).await.unwrap();
        assert_eq!(case.current()["revision"], head);
        assert!(case.sets() <= 3);
    }
    // The same set once more, as after a restart.
    driver.apply(&case.set(6, &[("a", 6)])).await.unwrap();
    assert_eq!((case.sets(), case.current()["revision"].as_u64()), (3, Some(6)));
}

#[tokio::test]
async fn a_disk_that_refuses_says_nothing_about_the_set() {
    let case = Case::new();
    let no_folder = case.path("file");
    fs::write(&no_folder, "").unwrap();
    let mut driver = FileDriver::new(&no_folder, FileOptions::default()).unwrap();
    let failed = driver.apply(&case.set(1, &[])).await.unwrap_err();
    assert!(failed.blame == Blame::Node && !failed.is_refusal(), "{failed}");
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_folder_or_a_link_is_moved_aside() {
    let case = Case::new();
    fs::write(case.path("sets"), "not a folder").unwrap();
    fs::create_dir_all(case.path("current/deep")).unwrap();
    case.driver(None, None).apply(&case.set(1, &[("a", 1)])).await.unwrap();
    assert_eq!(case.current()["revision"], 1);
    assert_eq!(fs::read_to_string(case.path("sets.broken")).unwrap(), "not a folder");
    assert!(case.path("current.broken/deep").is_dir());
}

#[tokio::test]
async fn a_set_that_an_agent_left_unverified_is_taken_back_by_the_next_one() {
    let case = Case::new();
    let good = case.set(1, &[("a", 1)]);
    case.driver(None, None).apply(&good).await.unwrap();
    let killed = case.driver(None, Some("sleep 600"));
    let unfinished = {
        let (mut killed, set) = (killed, case.set(2, &[("a", 2)]));
        tokio::spawn(async move { killed.apply(&set).await })
    };
    while case.current()["revision"] != 2 {
        tokio::task::yield_now().await;
    }
    unfinished.abort();
    let log = case.path("log");
    let reload = format!("echo $BELLWETHER_DIGEST >> {}", log.display());
    case.driver(None, Some(&reload)).recover().await.unwrap();
    assert_eq!(case.current()["revision"], 1);
    assert_eq!(fs::read_to_string(log).unwrap(), format!("{}\n", good.digest));
}
