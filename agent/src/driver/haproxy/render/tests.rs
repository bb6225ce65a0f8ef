//! What the example document is rendered to, byte by byte.

use super::*;
use bellwether_ingress::IngressConfig;

const SHOP: &str = include_str!("../../../../../examples/shop.yaml");
const SNAPSHOT: &str = "src/driver/haproxy/render/shop.snapshot";

fn rendered(documents: &[&IngressConfig]) -> String {
    let effective = Effective::merge(documents.iter().copied(), None).unwrap();
    let root = Path::new("/var/lib/bellwether-agent");
    let folder = root.join("sets/e3b0c44298fc1c14-7");
    let choices = Choices { hard_stop_after: Duration::from_secs(30) };
    let files = render(&effective, Digest::empty_set(), Place { root, folder: &folder }, choices);
    let shown = files
        .into_iter()
        .map(|file| format!("==> {} <==\n{}", file.name, String::from_utf8(file.bytes).unwrap()));
    shown.collect()
}

/// Run with `UPDATE_SNAPSHOTS=1` to take what is rendered now.
#[test]
fn the_example_is_rendered_as_it_was_and_to_the_same_bytes_each_time() {
    let shop = IngressConfig::from_yaml(SHOP).unwrap();
    let rendered_now = rendered(&[&shop]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SNAPSHOT);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &rendered_now).unwrap();
    }
    let before = std::fs::read_to_string(&file).unwrap();
    assert!(
        before == rendered_now,
        "see the difference with UPDATE_SNAPSHOTS=1 and git diff:\n{rendered_now}"
    );
    assert_eq!(rendered(&[&shop]), rendered_now);
}

#[test]
fn the_order_of_documents_changes_no_byte() {
    let shop = IngressConfig::from_yaml(SHOP).unwrap();
    let other =
        SHOP.replace("name: shop\n", "name: other\n").replace("shop.example.com", "other.example.com");
    let other = other.replace("port: 1", "port: 2").replace("  defaultBackend: {name: fallback}\n", "");
    let other = IngressConfig::from_yaml(&other).unwrap();
    assert_eq!(rendered(&[&shop, &other]), rendered(&[&other, &shop]));
}
