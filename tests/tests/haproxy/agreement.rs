//! HAProxy and the pure matcher agree on random sets and requests, and HAProxy's checker on whatever parses.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bellwether_agent::driver::{Blame, Step};
use bellwether_ingress::IngressConfig;
use bellwether_ingress::matcher::{Answer, Matcher, Request, Version};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::arbitrary_config::arbitrary_config;
use crate::certificates;
use crate::client::send;
use crate::echo::Echoes;
use crate::fixture::{Proxy, moved};

const SETS: u32 = 40;
const REQUESTS: usize = 60;
const CHECKED_SETS: u32 = 500;

const DOCUMENTS: [&str; 3] = ["one", "two", "three"];
const BACKENDS: [&str; 4] = ["b0", "b1", "empty", "drained"];
const PORTS: [u16; 2] = [8080, 9090];

#[derive(Clone, Debug)]
struct Asked {
    port: u16,
    version: Version,
    hosts: Vec<String>,
    target: String,
}

/// Documents of few words, so that they meet.
fn documents() -> impl Strategy<Value = Vec<Value>> {
    let host = option::weighted(
        0.8,
        select(vec!["a.x", "b.x", "*.x", "c.a.x", "*.a.x", "a.b.a.x", "x", "xn--a.x", "a-1.x"]),
    );
    let path = select(vec![
        "/", "/a", "/a/", "/a/b", "/ab", "/A", "/a.b", "/a+b", "/a/b/c/", "/...", "/.a", "/~", "/a,b",
        "/a=b&c", "/@", "/a:1", "/b", "/a!",
    ]);
    let rule = (host, vec((path, any::<bool>(), select(BACKENDS.to_vec())), 1..5));
    let document = (
        vec(rule, 0..6),
        subsequence(PORTS.to_vec(), 1..=2),
        option::weighted(0.3, select(BACKENDS.to_vec())),
    );
    vec(document, 1..=3).prop_map(|documents| {
        let documents = documents.into_iter().zip(DOCUMENTS).enumerate();
        documents
            .map(|(index, ((rules, ports, fallback), name))| json_of(index, name, rules, ports, fallback))
            .collect()
    })
}

type Rules = Vec<(Option<&'static str>, Vec<(&'static str, bool, &'static str)>)>;

fn json_of(index: usize, name: &str, rules: Rules, ports: Vec<u16>, fallback: Option<&str>) -> Value {
    let mut seen = BTreeSet::new();
    let rules = rules.into_iter().filter_map(|(host, paths)| {
        let paths: Vec<_> = paths
            .into_iter()
            .filter(|(path, exact, _)| {
                let compared = if *exact { path } else { path.trim_end_matches('/') };
                seen.insert((host, *exact, compared.to_owned()))
            })
            .map(|(path, exact, backend)| {
                let path_type = if exact { "Exact" } else { "Prefix" };
                json!({"path": path, "pathType": path_type, "backend": {"name": backend}})
            })
            .collect();
        let mut rule = json!({"http": {"paths": paths}});
        if let Some(host) = host {
            rule["host"] = host.into();
        }
        (!paths.is_empty()).then_some(rule)
    });
    let endpoint = |number: usize, weight: u16| json!([{"address": "127.0.0.1", "port": echo_port(index, number), "weight": weight}]);
    let listeners: Vec<_> = ports
        .iter()
        .map(|port| json!({"name": format!("l{port}"), "port": port, "protocol": "HTTP"}))
        .collect();
    let mut spec = json!({
        "listeners": listeners,
        "rules": rules.collect::<Vec<_>>(),
        "backends": [
            {"name": "b0", "endpoints": endpoint(0, 100)},
            {"name": "b1", "endpoints": endpoint(1, 1)},
            {"name": "empty", "endpoints": []},
            {"name": "drained", "endpoints": endpoint(2, 0)},
        ],
    });
    if let Some(fallback) = fallback {
        spec["defaultBackend"] = json!({"name": fallback});
    }
    json!({"apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": name}, "spec": spec})
}

fn echo_port(document: usize, backend: usize) -> u16 {
    u16::try_from(7000 + 10 * document + backend).unwrap()
}

fn requests() -> impl Strategy<Value = Vec<Asked>> {
    let host = || {
        prop_oneof![
            8 => select(vec![
                "a.x", "b.x", "q.x", "c.a.x", "q.a.x", "q.q.a.x", "x", "nobody.example", "A.X", "a.x:80", "a.x.",
                "a.x.:8080", "a_b.x", "xn--a.x", "-.x", "a-1.x",
            ]),
            1 => select(vec![
                "127.0.0.1", "[::1]", "[::1]:80", "", ".", "a..x", ".a.x", "a.x..", "a/x", "a b.x", "::1", "[::1",
                "a:80:81", "a:b", "*.x", "a.x:", "a@b.x", "%61.x",
            ]),
        ]
        .prop_map(str::to_owned)
    };
    let hosts = prop_oneof![
        16 => host().prop_map(|host| vec![host]),
        1 => Just(Vec::new()),
        1 => host().prop_map(|host| vec![host.clone(), host]),
        1 => (host(), host()).prop_map(|(one, other)| vec![one, other]),
    ];
    let piece = prop_oneof![
        8 => select(vec!["/a", "/b", "/ab", "/A", "/a.b", "/a+b", "/c", "/...", "/.a", "/~", "/a,b", "/a=b&c", "/@", "/a:1", "/a!"]),
        2 => select(vec!["/", "/%61", "/a%2eb", "/;v=1", "/a;v=1", "/%7e", "/%2B", "/a%20b", "/%25", "/%c3%a9", "/%ff"]),
        1 => select(vec!["/.", "/..", "/%2e", "/%2E%2e", "/a%2fb", "/%5C", "/%00", "/%", "/%4", "/%zz", "/%252f"]),
    ];
    let query = select(vec!["", "", "", "?", "?x=/b", "?%2f", "?a=%zz"]);
    let path = (vec(piece, 0..4), query).prop_map(|(pieces, query)| pieces.concat() + query);
    let rooted = |path: String| if path.starts_with('/') { path } else { format!("/{path}") };
    let target = prop_oneof![
        12 => path.clone().prop_map(rooted),
        // A query right after the host is read in many ways, and sent by nobody.
        1 => path.prop_map(move |path| format!("http://a.x{}", if path.is_empty() { path } else { rooted(path) })),
    ];
    let version = prop_oneof![9 => Just(Version::Http11), 1 => Just(Version::Http10)];
    let asked = (select(PORTS.to_vec()), version, hosts, target);
    vec(asked.prop_map(|(port, version, hosts, target)| Asked { port, version, hosts, target }), REQUESTS)
}

#[test]
fn haproxy_and_the_matcher_agree_on_random_sets_and_requests() {
    let runtime = Runtime::new().unwrap();
    let _within = runtime.enter();
    let (proxy, mut echoes) = (Proxy::new(), Echoes::default());
    let address = proxy.address;
    runtime.block_on(async {
        for (document, backend) in (0..3).flat_map(|document| (0..3).map(move |backend| (document, backend)))
        {
            echoes.add(SocketAddr::new(address.into(), echo_port(document, backend))).await;
        }
    });
    let proxy = Mutex::new((proxy, 0));
    let config = Config { cases: SETS, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(documents(), requests()), |(documents, requests)| {
        let documents: Vec<_> = documents.into_iter().map(|document| moved(document, address)).collect();
        runtime.block_on(async {
            let (proxy, revision) = &mut *proxy.lock().await;
            *revision += 10;
            let documents = serve(proxy, *revision, documents).await;
            for asked in &requests {
                agree(proxy, &documents, asked).await?;
            }
            Ok(())
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Applies the documents without those that clash with one before them.
async fn serve(proxy: &mut Proxy, revision: u64, mut documents: Vec<IngressConfig>) -> Vec<IngressConfig> {
    loop {
        let members: Vec<_> = documents.iter().zip(revision..).collect();
        let Err(error) = proxy.apply(&members).await else { return documents };
        match error.blame {
            Blame::Documents(refused) if error.step == Step::Render => {
                documents.retain(|it| !refused.iter().any(|refused| refused.document == *it.name()));
            }
            _ => panic!("{error}"),
        }
    }
}

async fn agree(proxy: &Proxy, documents: &[IngressConfig], asked: &Asked) -> Result<(), TestCaseError> {
    let hosts: Vec<_> = asked.hosts.iter().map(String::as_str).collect();
    let request = Request { version: asked.version, hosts: &hosts, target: &asked.target };
    let matcher = Matcher::for_listener(documents, "0.0.0.0".parse().unwrap(), asked.port);
    let lines: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
    let version = if asked.version == Version::Http10 { "1.0" } else { "1.1" };
    let head = format!("GET {} HTTP/{version}\r\n{lines}connection: close\r\n\r\n", asked.target);
    let reply = send(proxy.at(asked.port), head.as_bytes()).await;
    let Some(matcher) = matcher else {
        prop_assert!(reply.is_err(), "nobody listens on {}", asked.port);
        return Ok(());
    };
    let reply = reply.unwrap();
    let answer = matcher.answer(&request);
    // HAProxy wants the Host of an absolute target spelled as there, and refuses what only means the same.
    if reply.status == 400 && asked.target.starts_with("http://") && hosts != ["a.x"] {
        return Ok(());
    }
    prop_assert_eq!(reply.status, answer.status().unwrap_or(200), "{:?}: {:?}, {:?}", asked, answer, reply);
    if let Answer::Forward(target) = answer {
        let port = u64::from(target.backend.endpoints()[0].port());
        prop_assert_eq!(reply.echo["port"].as_u64(), Some(port), "{:?}: {:?}", asked, answer);
    }
    Ok(())
}

#[test]
fn whatever_parses_is_accepted_by_haproxys_checker() {
    let runtime = Runtime::new().unwrap();
    let _within = runtime.enter();
    let proxy = Proxy::new();
    for name in ["cert.1-a", "123"] {
        certificates::write(&proxy.certs(), name, &["a.example"]);
    }
    let config = Config { cases: CHECKED_SETS, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&vec(arbitrary_config(), 1..=2), |documents| {
        let mut names = BTreeSet::new();
        let documents = documents.iter().filter(|document| names.insert(document.name()));
        let members: Vec<_> = documents.zip(1..).collect();
        match runtime.block_on(proxy.driver.judge(&proxy.set(&members))) {
            // Two that clash are no set.
            Err(error) if error.step == Step::Render && members.len() > 1 => {
                Err(TestCaseError::reject("a clash"))
            }
            judged => {
                prop_assert_eq!(judged, Ok(()));
                Ok(())
            }
        }
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
