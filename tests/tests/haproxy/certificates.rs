//! Self-signed certificates, as an operator would put them into `--cert-dir`.

use std::{fs, path::Path};

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

/// Writes `<name>.pem` for `hosts`, and returns the certificate's DER.
pub(crate) fn write(folder: &Path, name: &str, hosts: &[&str]) -> Vec<u8> {
    write_until(folder, name, hosts, 2096)
}

/// The same, for one that is good until the first day of a year.
pub(crate) fn write_until(folder: &Path, name: &str, hosts: &[&str], year: i32) -> Vec<u8> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::write(folder.join(format!("{name}.pem")), certificate.pem() + &key.serialize_pem()).unwrap();
    certificate.der().to_vec()
}
