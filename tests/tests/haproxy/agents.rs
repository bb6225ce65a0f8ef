//! What the programs make of trouble, with an HAProxy that serves all the while.

use std::fs;
use std::net::SocketAddr;

use bellwether_proto::http::AgentView;
use bellwether_tests::{Fleet, eventually};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::certificates;
use crate::client::send;
use crate::fixture::own_address;

/// A document without backends, whose listeners answer 404.
fn document(name: &str, listeners: &str) -> String {
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  listeners: [{listeners}]\n"
    )
}

fn plain(port: u16) -> String {
    format!("{{name: l{port}, port: {port}, protocol: HTTP}}")
}

fn secure(port: u16, certificate: &str) -> String {
    format!("{{name: l{port}, port: {port}, protocol: HTTPS, defaultCertificate: {{name: {certificate}}}}}")
}

async fn answers(at: SocketAddr) -> bool {
    let reply = send(at, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    reply.is_ok_and(|reply| reply.status == 404)
}

async fn agent(fleet: &Fleet) -> AgentView {
    fleet.controller(0).agents().await.unwrap().pop().unwrap()
}

fn limit_files(pid: u32, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_space_the_last_good_set_serves_and_with_space_the_fleet_converges() {
    let node = own_address();
    let arguments = ["--driver", "haproxy", "--bind", &node.to_string(), "--stop-proxy"];
    let fleet = Fleet::shared().await.agent("node-1", &arguments).start().await;
    let at = |port| SocketAddr::new(node.into(), port);
    assert_eq!(fleet.push(&document("good", &plain(8080)), &["--timeout", "60s"]).await.counts(), (0, 1, 1));

    let pid = fleet.agent("node-1").process().pid();
    limit_files(pid, Some(1_000));
    let pushed = fleet.push(&document("more", &plain(9090)), &["--timeout", "60s"]).await;
    let [failure] = pushed.rollout().failures.as_deref().unwrap_or_default() else { panic!("{pushed:#?}") };
    assert!(failure.reason.contains("stage: File too large"), "{failure:?}");
    assert!(answers(at(8080)).await && !answers(at(9090)).await);

    let process = fleet.agent("node-1").process();
    limit_files(pid, None);
    fleet.wait_until_converged().await;
    assert!(answers(at(8080)).await && answers(at(9090)).await);
    process.kill().await;
    process.start_again();
    eventually("both serve again", async || answers(at(8080)).await && answers(at(9090)).await).await;
    fleet.wait_until_converged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_document_does_not_hold_back_the_others_and_is_named() {
    let node = own_address();
    let certs = bellwether_tests::folder("certs");
    certificates::write(certs.path(), "good", &["a.example"]);
    fs::write(certs.path().join("broken.pem"), "nothing").unwrap();
    let cert_dir = certs.path().to_str().unwrap().to_owned();
    let arguments =
        ["--driver", "haproxy", "--bind", &node.to_string(), "--stop-proxy", "--cert-dir", &cert_dir];
    let fleet = Fleet::shared().await.agent("node-1", &arguments).start().await;
    let bad = fleet.push(&document("bad", &secure(9443, "broken")), &["--timeout", "60s"]).await;
    let [failure] = bad.rollout().failures.as_deref().unwrap_or_default() else { panic!("{bad:#?}") };
    assert_eq!(failure.reason, "render: certificate broken is broken: there is no certificate in it");
    let good = fleet.push(&document("good", &secure(8443, "good")), &["--timeout", "60s"]).await;
    assert_eq!(good.counts(), (0, 1, 1), "{good:#?}");
    let other = fleet.push(&document("other", &plain(8080)), &["--timeout", "60s"]).await;
    assert_eq!(other.counts(), (0, 1, 1), "{other:#?}");
    eventually("the agent tells the truth", async || match agent(&fleet).await {
        it if !it.converged && it.last_error.as_ref().is_some_and(|it| it.starts_with("bad@1: ")) => Ok(()),
        it => Err(format!("{it:#?}")),
    })
    .await;
    certificates::write(certs.path(), "broken", &["a.example"]);
    fleet.wait_until_converged().await;
    assert!(tokio::net::TcpStream::connect(SocketAddr::new(node.into(), 9443)).await.is_ok());
}
