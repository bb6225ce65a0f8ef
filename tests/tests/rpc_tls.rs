//! How a connection is encrypted, and who is whom: on a RabbitMQ that asks everybody for a certificate.

#[path = "rpc_tls/files.rs"]
mod files;

use bellwether_rpc::transport::amqp::{Amqp, AmqpSettings, Tls};
use bellwether_rpc::{Connection, Link, Transport};
use bellwether_tests::{
    BOUND, Binary, Certificate, CertificateAuthority, Launch, Program, RabbitMq, eventually, fleet, folder,
};
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Who may log in by certificate, and has no password.
const LOGIN: &str = "node-7";

struct Broker {
    rabbitmq: RabbitMq,
    authority: CertificateAuthority,
    certificate: Certificate,
}

impl Broker {
    async fn shared() -> &'static Self {
        static SHARED: OnceCell<Broker> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        let authority = CertificateAuthority::new();
        let rabbitmq = RabbitMq::start_with_tls(&authority).await;
        rabbitmq.ctl(&["add_user", LOGIN, &fleet()]).await;
        rabbitmq.ctl(&["clear_password", LOGIN]).await;
        rabbitmq.ctl(&["set_permissions", LOGIN, ".*", ".*", ".*"]).await;
        let certificate = authority.issue(LOGIN);
        Self { rabbitmq, authority, certificate }
    }

    fn tls(&self) -> Tls {
        let Certificate { certificate, key } = &self.certificate;
        self.ca().with_identity_files(certificate, key).expect("good files")
    }

    fn ca(&self) -> Tls {
        Tls::default().with_ca_file(&self.authority.file()).expect("a good file")
    }

    fn url(&self) -> String {
        format!("amqps://guest:guest@{}/%2f", self.rabbitmq.tls_address())
    }

    /// Where the certificate is the login.
    fn external_url(&self) -> String {
        format!("amqps://{}/%2f?auth_mechanism=external", self.rabbitmq.tls_address())
    }

    /// Its user and whether it is encrypted, of each connection of this name.
    async fn connections(&self, name: &str) -> Vec<String> {
        let listed = self.rabbitmq.ctl(&["list_connections", "user", "ssl", "client_properties"]).await;
        let ours = listed.lines().filter(|line| line.contains(&format!("\"{name}\"")));
        ours.filter_map(|line| line.rsplit_once('\t')).map(|(fields, _)| fields.to_owned()).collect()
    }
}

fn connect(url: &str, tls: Tls, name: &str) -> Arc<dyn Transport> {
    let url = url.parse().expect("a good url");
    let settings = AmqpSettings::new([url], format!("bellwether.{}", fleet()), name.to_owned());
    Amqp::start(AmqpSettings { tls, ..settings })
}

async fn up(transport: &Arc<dyn Transport>) {
    let mut link = transport.link();
    let connected = link.wait_for(|link| link.generation().is_some());
    let connected = tokio::time::timeout(BOUND, connected).await.map(|link| link.is_ok());
    assert_eq!(connected, Ok(true), "{}", *transport.link().borrow());
}

/// Waits until the link is down for a reason with these words; the password is not among them.
async fn down(transport: &Arc<dyn Transport>, words: &[&str]) {
    eventually(format!("the link is down for {words:?}"), async || {
        let link = transport.link().borrow().clone();
        let Link::Down { reason } = &link else { return Err(format!("{link:?}")) };
        assert!(!reason.contains("guest") && !reason.contains("PRIVATE KEY"), "{reason}");
        words.iter().all(|word| reason.contains(word)).then_some(()).ok_or_else(|| reason.clone())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_the_given_ca_trusts_is_spoken_to_over_tls() {
    let broker = Broker::shared().await;
    let transport = connect(&broker.url(), broker.tls(), "by password");
    up(&transport).await;
    eventually("it is listed as encrypted", async || {
        let listed = broker.connections("by password").await;
        if listed == ["guest\ttrue"] { Ok(()) } else { Err(format!("{listed:?}")) }
    })
    .await;
    let client = Connection::new(transport);
    let there_and_back = client.round_trip(bellwether_rpc::Deadline::after(BOUND)).await;
    assert_eq!(there_and_back, Ok(()));
    client.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_logs_in_as_its_common_name_without_a_password() {
    let broker = Broker::shared().await;
    let transport = connect(&broker.external_url(), broker.tls(), "by certificate");
    up(&transport).await;
    eventually("it is listed under its name", async || {
        let listed = broker.connections("by certificate").await;
        if listed == ["node-7\ttrue"] { Ok(()) } else { Err(format!("{listed:?}")) }
    })
    .await;
    transport.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_nobody_who_is_known_is_refused() {
    let broker = Broker::shared().await;
    let Certificate { certificate, key } = broker.authority.issue("stranger");
    let tls = broker.ca().with_identity_files(&certificate, &key).expect("good files");
    let transport = connect(&broker.external_url(), tls, "stranger");
    down(&transport, &[&broker.rabbitmq.tls_address(), "ACCESS_REFUSED", "EXTERNAL"]).await;
    transport.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_another_ca_is_refused_and_named() {
    let broker = Broker::shared().await;
    let Certificate { certificate, key } = &broker.certificate;
    let other = Tls::default().with_ca_file(&CertificateAuthority::new().file()).expect("a good file");
    let tls = other.with_identity_files(certificate, key).expect("good files");
    let transport = connect(&broker.url(), tls, "other CA");
    down(&transport, &[&broker.rabbitmq.tls_address(), "TLS", "UnknownIssuer"]).await;
    transport.close().await;
}

/// Also where the system trusts nobody at all, which is then what is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_the_system_does_not_trust_is_refused_without_a_ca_of_its_own() {
    let broker = Broker::shared().await;
    let transport = connect(&broker.url(), Tls::default(), "system");
    down(&transport, &[&broker.rabbitmq.tls_address(), "TLS", "ertificate"]).await;
    transport.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_asks_for_a_certificate_names_its_absence() {
    let broker = Broker::shared().await;
    let transport = connect(&broker.url(), broker.ca(), "no certificate");
    down(&transport, &[&broker.rabbitmq.tls_address(), "CertificateRequired"]).await;
    transport.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_where_none_is_spoken_is_an_error_that_names_it_and_is_tried_again() {
    let broker = Broker::shared().await;
    let address = format!("127.0.0.1:{}", broker.rabbitmq.port());
    let transport = connect(&format!("amqps://guest:guest@{address}/%2f"), broker.tls(), "no TLS");
    down(&transport, &[&address, "no TLS is spoken there"]).await;
    transport.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_answers_nothing_is_given_up_in_time_and_tried_again() {
    let broker = Broker::shared().await;
    let mute = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = mute.local_addr().expect("bound").to_string();
    let url = format!("amqps://guest:guest@{address}/%2f").parse().expect("a good url");
    let settings = AmqpSettings::new([url], format!("bellwether.{}", fleet()), "mute".to_owned());
    let connect_timeout = Duration::from_millis(200);
    let transport = Amqp::start(AmqpSettings { tls: broker.tls(), connect_timeout, ..settings });
    down(&transport, &[&address, "no answer in time"]).await;
    // Each is let go of, too: what was begun does not wait on for ever.
    let let_go = move || mute.accept().is_ok_and(|(mut begun, _)| begun.read_to_end(&mut Vec::new()).is_ok());
    let again = tokio::task::spawn_blocking(move || (0..3).all(|_| let_go()));
    assert!(tokio::time::timeout(BOUND, again).await.is_ok_and(|again| again.is_ok_and(|all| all)));
    transport.close().await;
}

/// An agent that logs in by the certificate, on a system that trusts the broker's CA.
async fn agent(broker: &Broker, name: &str, args: &[(&str, &Path)]) -> (Program, TempDir) {
    let (state, Certificate { certificate, key }) = (folder("state"), &broker.certificate);
    let flags =
        args.iter().fold(Launch::of(Binary::Agent).await, |launch, (flag, file)| launch.arg(flag).arg(file));
    let agent = flags
        .args(["--name", name, "--fleet", &fleet(), "--amqp-url", &broker.external_url()])
        .arg("--amqp-cert-file")
        .arg(certificate)
        .env("BELLWETHER_AMQP_KEY_FILE", key)
        .env("SSL_CERT_FILE", broker.authority.file())
        .arg("--state-dir")
        .arg(state.path());
    (agent.start(), state)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_trusts_whom_the_system_trusts_and_logs_in_by_its_certificate() {
    let broker = Broker::shared().await;
    let (agent, _state) = agent(broker, "node-1", &[]).await;
    agent.wait_for_log("connected to the broker").await;
    eventually("it is listed under its name", async || {
        broker.connections("bellwether-agent node-1").await == ["node-7\ttrue"]
    })
    .await;
    assert!(agent.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_given_a_ca_trusts_no_other_whomever_the_system_trusts() {
    let (broker, other) = (Broker::shared().await, CertificateAuthority::new());
    let (refusing, _state) = agent(broker, "node-2", &[("--amqp-ca-file", &other.file())]).await;
    refusing.wait_for_log("UnknownIssuer").await;
    assert!(refusing.terminate().await.success());
    let (agent, _state) = agent(broker, "node-3", &[("--amqp-ca-file", &broker.authority.file())]).await;
    agent.wait_for_log("connected to the broker").await;
    assert!(agent.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_is_encrypted_as_its_flags_say() {
    let broker = Broker::shared().await;
    let Certificate { certificate, key } = &broker.certificate;
    let controller = Launch::of(Binary::Controller)
        .await
        .args(["--fleet", &fleet(), "--listen", "127.0.0.1:0", "--redis-url", "redis://127.0.0.1:1/"])
        .env("BELLWETHER_AMQP_URL", broker.url())
        .env("BELLWETHER_AMQP_CA_FILE", broker.authority.file())
        .env("BELLWETHER_AMQP_CERT_FILE", certificate)
        .env("BELLWETHER_AMQP_KEY_FILE", key)
        .start();
    controller.wait_for_log("connected to the broker").await;
    eventually("both its connections are encrypted", async || {
        broker.connections("bellwether-controller").await == ["guest\ttrue", "guest\ttrue"]
    })
    .await;
    assert!(controller.terminate().await.success());
}
