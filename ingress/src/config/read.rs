//! From a tree to a document: the one constructor.

use serde::{Deserialize, Deserializer, de};

use super::{
    API_VERSION, Backend, Balance, Endpoint, HealthCheck, HealthProbe, IngressConfig, KIND, Listener,
    PathRule, PathType, Protocol, Rule, Spec, Timeouts, Tls, checks,
};
use crate::document_errors::DocumentErrors;
use crate::host::Host;
use crate::label::Labels;
use crate::limits::{
    CHECK_INTERVAL, CHECK_TIMEOUT, CONNECT_TIMEOUT, MAX_BACKEND_ENDPOINTS, MAX_BACKENDS, MAX_CHECKS_IN_A_ROW,
    MAX_DOCUMENT_BYTES, MAX_LISTENERS, MAX_RULE_PATHS, MAX_RULES, MAX_TLS, MAX_TLS_HOSTS, MAX_WEIGHT,
    RESPONSE_TIMEOUT,
};
use crate::name::ConfigName;
use crate::path::HttpPath;
use crate::problems::Problems;
use crate::raw::RawConfig;
use crate::reader::{Fields, Place};
use crate::selector::Selector;
use crate::status::ExpectStatus;
use crate::tree::{WHOLE_DOCUMENT, refuse};

impl TryFrom<RawConfig> for IngressConfig {
    type Error = DocumentErrors;

    /// Reads the fields, then checks what they say about each other.
    fn try_from(raw: RawConfig) -> Result<Self, DocumentErrors> {
        let whole = |message: &str| refuse(WHOLE_DOCUMENT.to_owned(), raw.root.position, message);
        let mut problems = Problems::default();
        let config = document(Place::root(&raw.root), &mut problems);
        let config = problems.or(config)?.ok_or_else(|| whole("not a document"))?;
        checks::within(&config.spec, &raw.root)?;
        if config.canonical_bytes() > MAX_DOCUMENT_BYTES {
            return Err(whole("over 1 MiB in its canonical form: split the document"));
        }
        Ok(config)
    }
}

impl<'de> Deserialize<'de> for IngressConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawConfig::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

fn document(place: Place<'_>, problems: &mut Problems) -> Option<IngressConfig> {
    let fields = place.fields(&["apiVersion", "kind", "metadata", "spec"], problems)?;
    let api_version = constant(&fields, "apiVersion", API_VERSION, problems);
    let kind = constant(&fields, "kind", KIND, problems);
    let metadata = fields.required("metadata", problems).and_then(|place| metadata(place, problems));
    let spec = fields.required("spec", problems).and_then(|place| spec(place, problems));
    let ((), ()) = (api_version?, kind?);
    let (name, labels) = metadata?;
    Some(IngressConfig { name, labels, spec: spec? })
}

fn constant(fields: &Fields<'_>, key: &str, value: &str, problems: &mut Problems) -> Option<()> {
    fields.required(key, problems)?.word(&[(value, ())], problems)
}

fn metadata(place: Place<'_>, problems: &mut Problems) -> Option<(ConfigName, Labels)> {
    let fields = place.fields(&["name", "labels"], problems)?;
    let name = fields.required("name", problems).and_then(|place| place.text(problems));
    let labels = fields.or("labels", Labels::default(), |place| place.pairs(problems));
    Some((name?, labels?))
}

fn spec(place: Place<'_>, problems: &mut Problems) -> Option<Spec> {
    let known = ["selector", "listeners", "tls", "defaultBackend", "rules", "backends"];
    let fields = place.fields(&known, problems)?;
    let selector = fields.or("selector", Selector::default(), |place| place.text(problems));
    let listeners = fields.required("listeners", problems);
    let listeners = listeners.and_then(|place| place.list(1..=MAX_LISTENERS, problems, listener));
    let tls = fields.or("tls", Vec::new(), |place| place.list(0..=MAX_TLS, problems, tls));
    let default_backend = fields.optional("defaultBackend", |place| place.reference(problems));
    let rules = fields.or("rules", Vec::new(), |place| place.list(0..=MAX_RULES, problems, rule));
    let backends = fields.or("backends", Vec::new(), |place| place.list(0..=MAX_BACKENDS, problems, backend));
    Some(Spec {
        selector: selector?,
        listeners: listeners?,
        tls: tls?,
        default_backend: default_backend?,
        rules: rules?,
        backends: backends?,
    })
}

fn listener(place: Place<'_>, problems: &mut Problems) -> Option<Listener> {
    let known = ["name", "address", "port", "protocol", "defaultCertificate", "backend"];
    let fields = place.fields(&known, problems)?;
    let name = fields.required("name", problems).and_then(|place| place.text(problems));
    let address = fields.or("address", Default::default(), |place| place.text(problems));
    let port = port(&fields, problems);
    let protocol = protocol(&fields, problems);
    Some(Listener { name: name?, address: address?, port: port?, protocol: protocol? })
}

fn port(fields: &Fields<'_>, problems: &mut Problems) -> Option<u16> {
    let port: u32 = fields.required("port", problems)?.integer(1..=65_535, problems)?;
    u16::try_from(port).ok()
}

/// The protocol and what belongs to it; what belongs to another one is refused rather than ignored.
fn protocol(fields: &Fields<'_>, problems: &mut Problems) -> Option<Protocol> {
    #[derive(Clone, Copy, PartialEq)]
    enum Word {
        Http,
        Https,
        Tcp,
    }
    let words = [("HTTP", Word::Http), ("HTTPS", Word::Https), ("TCP", Word::Tcp)];
    let word = fields.required("protocol", problems)?.word(&words, problems)?;
    if word != Word::Https {
        refuse_field(
            fields,
            "defaultCertificate",
            "only an HTTPS listener has a certificate: remove it",
            problems,
        );
    }
    if word != Word::Tcp {
        refuse_field(
            fields,
            "backend",
            "only a TCP listener has a backend: use rules or defaultBackend",
            problems,
        );
    }
    match word {
        Word::Http => Some(Protocol::Http),
        Word::Https => {
            let default_certificate = fields.required("defaultCertificate", problems)?.reference(problems)?;
            Some(Protocol::Https { default_certificate })
        }
        Word::Tcp => {
            Some(Protocol::Tcp { backend: fields.required("backend", problems)?.reference(problems)? })
        }
    }
}

fn refuse_field(fields: &Fields<'_>, key: &str, message: &str, problems: &mut Problems) {
    if let Some(place) = fields.get(key) {
        place.refuse(problems, message);
    }
}

fn tls(place: Place<'_>, problems: &mut Problems) -> Option<Tls> {
    let fields = place.fields(&["hosts", "certificateRef"], problems)?;
    let hosts = fields.required("hosts", problems);
    let hosts =
        hosts.and_then(|place| place.list(1..=MAX_TLS_HOSTS, problems, |host, problems| host.text(problems)));
    let certificate = fields.required("certificateRef", problems).and_then(|place| place.reference(problems));
    Some(Tls { hosts: hosts?, certificate: certificate? })
}

fn rule(place: Place<'_>, problems: &mut Problems) -> Option<Rule> {
    let fields = place.fields(&["host", "http"], problems)?;
    let host = fields.optional("host", |place| place.text(problems));
    let paths = fields.required("http", problems).and_then(|place| paths(place, problems));
    Some(Rule { host: host?, paths: paths? })
}

fn paths(place: Place<'_>, problems: &mut Problems) -> Option<Vec<PathRule>> {
    let fields = place.fields(&["paths"], problems)?;
    fields.required("paths", problems)?.list(1..=MAX_RULE_PATHS, problems, path_rule)
}

fn path_rule(place: Place<'_>, problems: &mut Problems) -> Option<PathRule> {
    let fields = place.fields(&["path", "pathType", "backend"], problems)?;
    let path = fields.required("path", problems).and_then(|place| place.text(problems));
    let types = [("Exact", PathType::Exact), ("Prefix", PathType::Prefix)];
    let path_type = fields.required("pathType", problems).and_then(|place| place.word(&types, problems));
    let backend = fields.required("backend", problems).and_then(|place| place.reference(problems));
    Some(PathRule { path: path?, path_type: path_type?, backend: backend? })
}

fn backend(place: Place<'_>, problems: &mut Problems) -> Option<Backend> {
    let fields = place.fields(&["name", "balance", "timeouts", "endpoints", "healthCheck"], problems)?;
    let name = fields.required("name", problems).and_then(|place| place.text(problems));
    let words = [("roundrobin", Balance::RoundRobin), ("leastconn", Balance::LeastConn)];
    let balance = fields.or("balance", Balance::default(), |place| place.word(&words, problems));
    let timeouts = fields.or("timeouts", Timeouts::default(), |place| timeouts(place, problems));
    let endpoints = fields.required("endpoints", problems);
    let endpoints = endpoints.and_then(|place| place.list(0..=MAX_BACKEND_ENDPOINTS, problems, endpoint));
    let health_check = fields.optional("healthCheck", |place| health_check(place, problems));
    Some(Backend {
        name: name?,
        balance: balance?,
        timeouts: timeouts?,
        endpoints: endpoints?,
        health_check: health_check?,
    })
}

fn timeouts(place: Place<'_>, problems: &mut Problems) -> Option<Timeouts> {
    let fields = place.fields(&["connect", "response"], problems)?;
    let connect = fields.optional("connect", |place| place.time_span(&CONNECT_TIMEOUT, problems));
    let response = fields.optional("response", |place| place.time_span(&RESPONSE_TIMEOUT, problems));
    Some(Timeouts { connect: connect?, response: response? })
}

fn endpoint(place: Place<'_>, problems: &mut Problems) -> Option<Endpoint> {
    let fields = place.fields(&["address", "port", "weight"], problems)?;
    let address = fields.required("address", problems).and_then(|place| place.text(problems));
    let port = port(&fields, problems);
    let weight =
        fields.or("weight", Endpoint::DEFAULT_WEIGHT, |place| place.integer(0..=MAX_WEIGHT, problems));
    Some(Endpoint { address: address?, port: port?, weight: weight? })
}

fn health_check(place: Place<'_>, problems: &mut Problems) -> Option<HealthCheck> {
    let known = ["type", "path", "host", "interval", "timeout", "rise", "fall", "expectStatus"];
    let fields = place.fields(&known, problems)?;
    let probe = probe(&fields, problems);
    let interval = fields
        .or("interval", HealthCheck::DEFAULT_INTERVAL, |place| place.time_span(&CHECK_INTERVAL, problems));
    let timeout =
        fields.or("timeout", HealthCheck::DEFAULT_TIMEOUT, |place| place.time_span(&CHECK_TIMEOUT, problems));
    let in_a_row = 1..=MAX_CHECKS_IN_A_ROW;
    let rise =
        fields.or("rise", HealthCheck::DEFAULT_RISE, |place| place.integer(in_a_row.clone(), problems));
    let fall =
        fields.or("fall", HealthCheck::DEFAULT_FALL, |place| place.integer(in_a_row.clone(), problems));
    Some(HealthCheck { probe: probe?, interval: interval?, timeout: timeout?, rise: rise?, fall: fall? })
}

fn probe(fields: &Fields<'_>, problems: &mut Problems) -> Option<HealthProbe> {
    let is_http = fields.required("type", problems)?.word(&[("http", true), ("tcp", false)], problems)?;
    if !is_http {
        for key in ["path", "host", "expectStatus"] {
            refuse_field(fields, key, "only a check of type http has this: remove it", problems);
        }
        return Some(HealthProbe::Tcp);
    }
    let path = fields.or("path", HttpPath::root(), |place| place.text(problems));
    let host = fields.optional("host", |place| plain_host(place, problems));
    let expect_status =
        fields.or("expectStatus", ExpectStatus::default(), |place| place.text_or_digits(problems));
    Some(HealthProbe::Http { path: path?, host: host?, expect_status: expect_status? })
}

fn plain_host(place: Place<'_>, problems: &mut Problems) -> Option<Host> {
    let host: Host = place.text(problems)?;
    if host.is_wildcard() {
        place.refuse(problems, "a health check asks for one host: write it without *");
        return None;
    }
    Some(host)
}
