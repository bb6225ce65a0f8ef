//! Any bytes as a document: they are refused, or they print and parse to the same value. Nothing panics.
#![no_main]

use bellwether_ingress::{IngressConfig, documents_from_yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = documents_from_yaml(&text);
    let read = [IngressConfig::from_yaml(&text).ok(), IngressConfig::from_json(bytes).ok()];
    for config in read.into_iter().flatten() {
        let printed = config.to_canonical_json();
        let again = IngressConfig::from_json(printed.as_bytes());
        assert_eq!(again.as_ref(), Ok(&config), "as JSON: {printed}");
        assert_eq!(IngressConfig::from_yaml(&printed).as_ref(), Ok(&config), "as YAML: {printed}");
    }
});
