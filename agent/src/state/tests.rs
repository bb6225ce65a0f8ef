//! What the state folder remembers, and what it makes of broken files.

use super::*;
use crate::testing::{del, set, whole};
use bellwether_proto::StoreId;

fn some_set() -> ConfigSet {
    let store = StoreId::new();
    ConfigSet::of_whole(&whole(store, 5, &[("a", 4), ("b", 5)])).with(store, &[set("c", 7), del("a", 8)])
}

fn load(state: &StateDir) -> Remembered {
    state.load().unwrap()
}

#[tokio::test]
async fn a_set_reads_back_as_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::new(StateDir::open(folder.path().join("deep/state")).unwrap());
    assert!(matches!(load(&state), Remembered::Nothing));
    let saved = some_set();
    state.save(Arc::new(saved.clone())).await.unwrap();
    let Remembered::Set(read) = load(&state) else { panic!("no set") };
    assert_eq!(read.known(), saved.known());
    assert_eq!((read.floor(), read.removals()), (saved.floor(), saved.removals()));
    assert!(read.changes_until(&saved).is_empty());
}

#[tokio::test]
async fn a_file_cut_off_anywhere_is_kept_aside_and_nothing_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::new(StateDir::open(folder.path()).unwrap());
    state.save(Arc::new(some_set())).await.unwrap();
    let file = folder.path().join(STATE);
    let whole = fs::read(&file).unwrap();
    for (length, number) in (0..whole.len()).step_by(97).zip(1..) {
        fs::write(&file, &whole[..length]).unwrap();
        let Remembered::Broken { kept_as, .. } = load(&state) else { panic!("{length} bytes were read") };
        assert_eq!(kept_as.file_name().unwrap(), format!("state.json.broken-{number}").as_str());
        assert_eq!(fs::read(kept_as).unwrap().len(), length);
        assert!(matches!(load(&state), Remembered::Nothing));
    }
}

#[tokio::test]
async fn a_newer_format_and_a_changed_set_are_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::new(StateDir::open(folder.path()).unwrap());
    state.save(Arc::new(some_set())).await.unwrap();
    let file = folder.path().join(STATE);
    let text = fs::read_to_string(&file).unwrap();
    for (from, to, why) in
        [("\"format\":1", "\"format\":2", "format 2"), ("\"revision\":7", "\"revision\":6", "digest")]
    {
        fs::write(&file, text.replace(from, to)).unwrap();
        let Remembered::Broken { reason, .. } = load(&state) else { panic!("{to} was read") };
        assert!(reason.contains(why), "{reason}");
    }
}

#[test]
fn a_second_agent_on_the_same_folder_is_refused_until_the_first_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let first = StateDir::open(folder.path()).unwrap();
    let refused = StateDir::open(folder.path()).unwrap_err();
    assert!(
        matches!(refused, StateError::InUse { .. }) && refused.to_string().contains("another agent"),
        "{refused}"
    );
    drop(first);
    StateDir::open(folder.path()).unwrap();
}

#[tokio::test]
async fn only_the_owner_reads_what_is_remembered() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::new(StateDir::open(folder.path()).unwrap());
    state.save(Arc::new(some_set())).await.unwrap();
    let mode = fs::metadata(folder.path().join(STATE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}
