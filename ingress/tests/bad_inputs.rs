//! Every document of `cases/bad_inputs.json` is refused, as JSON and as YAML, with the field named.

#[path = "bad_inputs/cases.rs"]
mod cases;

use bellwether_ingress::{DocumentErrors, IngressConfig, documents_from_yaml};

use cases::{cases, field_of, text};

fn assert_refused(case: &str, format: &str, read: Result<IngressConfig, DocumentErrors>) -> DocumentErrors {
    let errors =
        read.map(|config| config.to_canonical_json()).expect_err(&format!("{case} as {format} was taken"));
    let field = field_of(case);
    assert!(
        errors.iter().any(|error| error.path == field),
        "{case} as {format} does not name {field}:\n{errors}"
    );
    assert!(errors.iter().all(|error| error.message.len() < 400), "{case} as {format} is long:\n{errors}");
    errors
}

#[test]
fn every_bad_document_is_refused_as_json() {
    let cases = cases();
    assert!(cases.len() >= 75);
    for case in cases.iter().filter(|case| !case["config"].is_null()) {
        assert_refused(
            text(case, "name"),
            "JSON",
            IngressConfig::from_json(case["config"].to_string().as_bytes()),
        );
        let through_serde = serde_json::from_value::<IngressConfig>(case["config"].clone());
        assert!(through_serde.is_err(), "{case}");
    }
}

#[test]
fn every_bad_document_is_refused_as_yaml_with_its_position() {
    for case in cases() {
        let name = text(&case, "name");
        let texts = match case["yaml"].as_str() {
            Some(yaml) => vec![yaml.to_owned()],
            None => {
                let block = serde_saphyr::to_string(&case["config"]).expect("JSON prints as YAML");
                vec![block, case["config"].to_string()]
            }
        };
        for yaml in texts {
            let errors = assert_refused(name, "YAML", IngressConfig::from_yaml(&yaml));
            assert!(
                errors.iter().all(|error| error.line.is_some() && error.column.is_some()),
                "{name}:\n{errors}"
            );
            assert!(documents_from_yaml(&yaml).is_err(), "{name}");
        }
    }
}

#[test]
fn two_documents_of_one_name_are_refused_where_several_are_allowed() {
    let cases = cases();
    let case = cases.iter().find(|case| case["name"] == "yaml: two documents").expect("the case is there");
    let errors = documents_from_yaml(text(case, "yaml")).expect_err("both have one name");
    assert_eq!(errors.errors()[0].path, "metadata.name");
    assert_eq!(errors.errors()[0].line, Some(36 - 3));
}
