//! The files that a program speaks TLS to its broker with.

use clap::Args;
use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

/// Whom to trust, and who to be, where the broker's URL says `amqps://`.
#[derive(Clone, Debug, Args)]
pub struct AmqpFiles {
    /// The certificates to trust where a URL says amqps://, as PEM, in place of the system's [default: the system's]
    #[arg(long, env = "BELLWETHER_AMQP_CA_FILE", value_name = "FILE")]
    amqp_ca_file: Option<PathBuf>,
    /// A certificate to show the broker, as PEM; it is the login where a URL ends with ?auth_mechanism=external
    #[arg(long, env = "BELLWETHER_AMQP_CERT_FILE", value_name = "FILE")]
    amqp_cert_file: Option<PathBuf>,
    /// The key of --amqp-cert-file, as PEM without a password
    #[arg(long, env = "BELLWETHER_AMQP_KEY_FILE", value_name = "FILE")]
    amqp_key_file: Option<PathBuf>,
}

impl AmqpFiles {
    /// Adds the files to what needs none of them: those of the CA by one way, certificate and key by another.
    ///
    /// # Errors
    /// When a file will not do, when one of a pair is missing, or when they are given and not every URL is encrypted:
    /// they would protect nothing.
    pub fn read<T, E: Display>(
        &self,
        encrypted: bool,
        tls: T,
        with_ca: impl FnOnce(T, &Path) -> Result<T, E>,
        with_identity: impl FnOnce(T, &Path, &Path) -> Result<T, E>,
    ) -> Result<T, String> {
        let (ca, certificate, key) = (&self.amqp_ca_file, &self.amqp_cert_file, &self.amqp_key_file);
        if !encrypted && [ca, certificate, key].into_iter().any(Option::is_some) {
            return Err(
                "--amqp-ca-file, --amqp-cert-file, --amqp-key-file: they are for amqps:// only, and a \
                        URL of --amqp-url says amqp://"
                    .to_owned(),
            );
        }
        let tls = match ca {
            Some(ca) => with_ca(tls, ca).map_err(|error| format!("--amqp-ca-file {error}"))?,
            None => tls,
        };
        match (certificate, key) {
            (Some(certificate), Some(key)) => with_identity(tls, certificate, key)
                .map_err(|error| format!("--amqp-cert-file, --amqp-key-file: {error}")),
            (None, None) => Ok(tls),
            _ => Err("--amqp-cert-file, --amqp-key-file: give both or neither".to_owned()),
        }
    }
}
