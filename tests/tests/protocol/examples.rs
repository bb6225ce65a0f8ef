//! Every example is a message of the code, and says every field that there is; each field's table says the same.

use bellwether_proto::agent::{DelIngressConfig, Describe, Ping, Resync, SetIngressConfig};
use bellwether_proto::controller::{GetIngressConfigs, OfflineAgent, OnlineAgent};
use bellwether_rpc::{Fault, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::page::{Page, Table};

/// The fields that say which store is spoken of: one table for all messages.
const HEAD: &str = "store_id, succeeds, revision";

#[test]
fn every_example_is_a_whole_message_and_every_table_of_fields_is_true() {
    let page = Page::read();
    let mut seen = vec!["json fault".to_owned()];
    whole::<Fault>(&page, "json fault");
    both_ways::<OnlineAgent>(&page, &mut seen);
    both_ways::<OfflineAgent>(&page, &mut seen);
    both_ways::<GetIngressConfigs>(&page, &mut seen);
    both_ways::<SetIngressConfig>(&page, &mut seen);
    both_ways::<DelIngressConfig>(&page, &mut seen);
    both_ways::<Resync>(&page, &mut seen);
    both_ways::<Ping>(&page, &mut seen);
    both_ways::<Describe>(&page, &mut seen);
    for block in page.blocks().iter().filter(|block| block.info != "digest") {
        assert!(seen.contains(&block.info), "nothing checks the block ```{}:\n{}", block.info, block.text);
    }
}

fn both_ways<M: Method>(page: &Page, seen: &mut Vec<String>) {
    let request = format!("json {} request", M::NAME);
    let reply = format!("json {} reply", M::NAME);
    described::<M::Request>(page, &request);
    described::<M::Reply>(page, &reply);
    seen.extend([request, reply]);
}

/// The example, which reads and is written again as the same JSON.
fn whole<T: DeserializeOwned + Serialize>(page: &Page, info: &str) -> Map<String, Value> {
    let block = page.block(info).unwrap_or_else(|| panic!("there is not one block ```{info}"));
    let example: Value = serde_json::from_str(&block.text).unwrap_or_else(|error| panic!("{info}: {error}"));
    let read: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{info}: {error}"));
    let written = serde_json::to_value(&read).expect("JSON");
    assert_eq!(written, example, "{info}");
    let Value::Object(fields) = example else { panic!("{info} is no object") };
    fields
}

fn described<T: DeserializeOwned + Serialize>(page: &Page, info: &str) {
    let example = whole::<T>(page, info);
    let with = |field: &str, value: Option<Value>| {
        let mut changed = example.clone();
        match value {
            Some(value) => changed.insert(field.to_owned(), value),
            None => changed.remove(field),
        };
        serde_json::from_value::<T>(Value::Object(changed))
            .map(|read| serde_json::to_value(read).expect("JSON"))
    };
    assert!(with("of-tomorrow", Some(json!([1]))).is_ok(), "{info}: a field that is not known is ignored");

    let rows = match page.table_after(info) {
        Some(table) if table.columns[0] == "field" => rows(page, &table),
        _ => Vec::new(),
    };
    if rows.is_empty() {
        assert!(example.len() < 2, "{info} has no table of fields");
        return;
    }
    let mut described: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let mut fields: Vec<&str> = example.keys().map(String::as_str).collect();
    described.sort_unstable();
    fields.sort_unstable();
    assert_eq!(described, fields, "the fields of {info}");

    for row in &rows {
        let [field, kind, missing] = [0, 1, 2].map(|column| row[column].as_str());
        let kinds: Vec<&str> = kind.split(" or ").collect();
        assert!(kinds.contains(&kind_of(&example[field])), "{info}: {field} is no {kind}");
        let null = with(field, Some(Value::Null));
        assert_eq!(null.is_ok(), kinds.contains(&"null"), "{info}: {field} as null: {null:?}");
        match (missing, with(field, None)) {
            ("–", read) => assert!(read.is_err(), "{info}: {field} may be missing"),
            (default, read) => {
                let read = read.unwrap_or_else(|error| panic!("{info} without {field}: {error}"));
                let default: Value = serde_json::from_str(default).expect("a default in JSON");
                // What is left out when it is empty is left out when it is missing.
                assert_eq!(read.get(field).unwrap_or(&json!([])), &default, "{info} without {field}");
            }
        }
    }
}

/// The rows of a table of fields; those of the store stand in a table of their own.
fn rows(page: &Page, table: &Table) -> Vec<Vec<String>> {
    let head = page.table("What a store is", "field");
    let rows = table.rows.iter().flat_map(|row| match row[0].as_str() {
        HEAD => head.rows.clone(),
        _ => vec![row.clone()],
    });
    rows.collect()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
