//! Small documents to push.

/// A document for every agent. Two with different ports do not clash.
pub(crate) fn document(name: &str, port: u16) -> String {
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
         listeners: [{{name: web, port: {port}, protocol: HTTP}}]\n"
    )
}

/// A document for the agents that a selector chooses.
pub(crate) fn document_for(name: &str, port: u16, selector: &str) -> String {
    format!("{}  selector: {selector}\n", document(name, port))
}

/// The ports that the configs of a set listen on, as `ingress.json` has them.
pub(crate) fn ports(set: &serde_json::Value) -> Vec<u64> {
    let configs = set["configs"].as_array().map(Vec::as_slice).unwrap_or_default();
    configs.iter().filter_map(|config| config["spec"]["listeners"][0]["port"].as_u64()).collect()
}
