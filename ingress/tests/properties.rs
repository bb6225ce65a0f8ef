//! Properties that hold for every document: whatever parses prints, and what it prints is the same document.

#[path = "properties/arbitrary_config.rs"]
mod arbitrary_config;

use arbitrary_config::{arbitrary_config, arbitrary_yaml_mess};
use bellwether_ingress::matcher::{Answer, Matcher, Request, Version};
use bellwether_ingress::{Digest, IngressConfig, Selector, clashes, documents_from_yaml};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_parses_prints_as_json_and_parses_to_the_same(config in arbitrary_config()) {
        let canonical = config.to_canonical_json();
        let again = IngressConfig::from_json(canonical.as_bytes());
        prop_assert_eq!(again.as_ref(), Ok(&config));
        prop_assert_eq!(again.map(|again| again.to_canonical_json()), Ok(canonical));
    }

    #[test]
    fn what_parses_prints_as_yaml_and_parses_to_the_same(config in arbitrary_config()) {
        let yaml = config.to_yaml();
        prop_assert_eq!(IngressConfig::from_yaml(&yaml), Ok(config.clone()), "{}", yaml);
        prop_assert_eq!(documents_from_yaml(&yaml), Ok(vec![config]), "{}", yaml);
    }

    #[test]
    fn the_canonical_json_is_yaml_too(config in arbitrary_config()) {
        prop_assert_eq!(IngressConfig::from_yaml(&config.to_canonical_json()), Ok(config));
    }

    #[test]
    fn a_document_survives_any_serde_message(config in arbitrary_config()) {
        let value = serde_json::to_value(&config).expect("a document is JSON");
        let again: IngressConfig = serde_json::from_value(value).expect("and reads back");
        prop_assert_eq!(Digest::of_document(&again), Digest::of_document(&config));
    }

    #[test]
    fn a_document_never_clashes_with_itself(config in arbitrary_config()) {
        prop_assert_eq!(clashes(&[&config], &config), Ok(()));
    }

    #[test]
    fn a_copy_under_another_name_clashes_if_it_routes_anything(config in arbitrary_config()) {
        let name = config.name().as_str();
        let json = config.to_canonical_json().replacen(&format!("\"name\":\"{name}\""), "\"name\":\"the-copy\"", 1);
        let copy = IngressConfig::from_json(json.as_bytes()).expect("the copy is a document");
        let has_tcp = config.spec().listeners().iter().any(|listener| !listener.is_http());
        let routes = has_tcp || !config.spec().rules().is_empty() || config.spec().default_backend().is_some();
        let clash = clashes(&[&config], &copy);
        prop_assert_eq!(clash.is_err(), routes);
        if let Err(clash) = clash {
            prop_assert_eq!(clash.owner(), Some(config.name()));
        }
    }

    #[test]
    fn a_request_for_a_rule_finds_a_rule(config in arbitrary_config()) {
        let http = config.spec().listeners().iter().find(|listener| listener.is_http());
        let (Some(listener), Some(rule)) = (http, config.spec().rules().first()) else { return Ok(()) };
        let matcher = Matcher::for_listener([&config], listener.address(), listener.port()).expect("it listens");
        let host = rule.host().map_or("no.rule.names.this".to_owned(), |host| host.as_str().replace('*', "any"));
        let target = rule.paths()[0].path().as_str();
        let answer = matcher.answer(&Request { version: Version::Http11, hosts: &[&host], target });
        prop_assert!(matches!(answer, Answer::Forward(_) | Answer::Unavailable(_)), "{:?}", answer);
    }

    #[test]
    fn a_mess_is_refused_without_a_panic(mess in arbitrary_yaml_mess()) {
        let refused = IngressConfig::from_yaml(&mess).is_err() && IngressConfig::from_json(mess.as_bytes()).is_err();
        prop_assert!(refused);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(IngressConfig::from_json(&bytes).is_err());
        prop_assert!(IngressConfig::from_yaml(&String::from_utf8_lossy(&bytes)).is_err());
    }

    #[test]
    fn any_request_is_answered_without_a_panic(config in arbitrary_config(), host in ".{0,20}", target in ".{0,30}") {
        for listener in config.spec().listeners() {
            let matcher = Matcher::for_listener([&config], listener.address(), listener.port());
            let request = Request { version: Version::Http11, hosts: &[&host], target: &target };
            prop_assert!(matcher.is_some_and(|matcher| matcher.answer(&request).status() != Some(200)));
        }
    }

    #[test]
    fn a_selector_prints_as_what_it_was_read_from(text in "[ab]( ?)(=|==|!=)( ?)[ab]{0,2}(,[ab]!=[ab]){0,3}") {
        let selector: Selector = text.parse().expect("it is in the grammar");
        prop_assert_eq!(selector.to_string().parse(), Ok(selector));
    }

    #[test]
    fn any_text_is_no_panic_for_a_selector(text in ".{0,40}") {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(selector.to_string().parse(), Ok(selector));
        }
    }
}
