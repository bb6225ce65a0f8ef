//! Files that will not do are refused at the start, by name and without what stands in them.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use bellwether_rpc::transport::amqp::Tls;
use bellwether_tests::{BOUND, Binary, Certificate, CertificateAuthority, Launch, Output, folder};

fn refused<T: Debug>(tls: Result<T, impl ToString>) -> String {
    tls.expect_err("refused").to_string()
}

#[test]
fn a_file_that_will_not_do_is_named_and_not_shown() {
    let (authority, folder) = (CertificateAuthority::new(), folder("files"));
    let Certificate { certificate, key } = authority.issue("node-7");
    let other = authority.issue("node-8");
    let broken = folder.path().join("broken.pem");
    let lines = fs::read_to_string(&key).expect("our own file").replace("-----END", "sesame!\n-----END");
    fs::write(&broken, lines).expect("our own folder");
    let missing = Path::new("/there/is/none.pem");
    let with_identity = |certificate: &Path, key: &Path| Tls::default().with_identity_files(certificate, key);
    for (why, error) in [
        ("none.pem: No such file", refused(Tls::default().with_ca_file(missing))),
        ("key.pem: no certificate", refused(Tls::default().with_ca_file(&key))),
        ("none.pem: No such file", refused(with_identity(missing, &key))),
        ("none.pem: No such file", refused(with_identity(&certificate, missing))),
        ("certificate.pem: no private key", refused(with_identity(&certificate, &certificate))),
        ("broken.pem: no private key", refused(with_identity(&certificate, &broken))),
        (
            "node-8.key.pem: not the key of the certificate in ",
            refused(with_identity(&certificate, &other.key)),
        ),
    ] {
        assert!(error.contains(why) && !error.contains("sesame"), "{why}: {error}");
    }
}

#[test]
fn what_is_shown_of_it_has_no_key() {
    let authority = CertificateAuthority::new();
    let Certificate { certificate, key } = authority.issue("node-7");
    let tls = Tls::default().with_ca_file(&authority.file()).expect("a good file");
    let tls = tls.with_identity_files(&certificate, &key).expect("good files");
    assert_eq!(format!("{tls:?}"), "Tls { trusts: \"the given CA\", has_identity: true }");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_files_will_not_do_ends_with_2_and_says_which() {
    let authority = CertificateAuthority::new();
    let Certificate { certificate, key } = authority.issue("node-7");
    let [ca, certificate, key] =
        [authority.file(), certificate, key].map(|file| file.to_str().expect("our own name").to_owned());
    let (encrypted, plain) = ("amqps://127.0.0.1:1/%2f", "amqp://127.0.0.1:1/%2f");
    for (url, arguments, why) in [
        (
            encrypted,
            &["--amqp-ca-file", "/there/is/none.pem"][..],
            "--amqp-ca-file /there/is/none.pem: No such",
        ),
        (encrypted, &["--amqp-ca-file", &key], "key.pem: no certificate"),
        (encrypted, &["--amqp-cert-file", &certificate], "give both or neither"),
        (encrypted, &["--amqp-cert-file", &certificate, "--amqp-key-file", &ca], "ca.pem: no private key"),
        (plain, &["--amqp-ca-file", &ca], "they are for amqps:// only"),
    ] {
        for binary in [Binary::Agent, Binary::Controller] {
            let program = Launch::of(binary).await.args(["--amqp-url", url]).args(arguments);
            let Output { code, stderr, .. } = program.run_to_end(BOUND).await;
            assert_eq!(code, 2, "{binary:?} {arguments:?}: {stderr}");
            assert!(stderr.contains(why) && stderr.lines().count() == 1, "{binary:?}: {stderr}");
        }
    }
}
