//! What the settings amount to, and what is refused.

use super::*;
use bellwether_program::settings;
use std::time::Duration;

fn options(arguments: &[&str]) -> Result<Options, String> {
    let arguments = ["bellwether-agent"].iter().chain(arguments).map(Into::into).collect();
    let flags = settings::read::<Flags>(arguments, None);
    flags.and_then(Flags::options).map_err(|error| error.to_string())
}

fn wrong(arguments: &[&str]) -> String {
    options(arguments).err().expect("refused")
}

#[test]
fn the_file_is_asked_for_what_no_flag_gives() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    let text = "name = 'from-file'\nfleet = 'blue'\nstate_dir = '/from/file'\ncheck = 'true'\n\
                check-timeout = '3s'\nlabel = ['zone=eu']\n";
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let options = options(&["--config", file, "--name", "from-flag", "--interval", "250ms"]).ok().unwrap();
    assert_eq!(options.settings.name.as_str(), "from-flag");
    assert_eq!(options.settings.interval, Duration::from_millis(250));
    assert_eq!(options.settings.labels.len(), 1);
    assert_eq!(options.state_dir, PathBuf::from("/from/file"));
    assert_eq!(options.amqp.namespace, "bellwether.blue");
    let check = options.file.check.unwrap();
    assert_eq!((check.command.as_str(), check.time_limit), ("true", Duration::from_secs(3)));
    assert_eq!(options.file.reload, None);
}

#[test]
fn the_defaults_are_those_of_the_help() {
    let options = options(&[]).ok().unwrap();
    assert_eq!(options.settings.interval, Duration::from_secs(1));
    assert_eq!(options.amqp.namespace, "bellwether.default");
    assert_eq!(options.amqp.urls[0].host_and_port(), "127.0.0.1:5672");
    assert_eq!(
        (options.state_dir, options.driver),
        (PathBuf::from("/var/lib/bellwether-agent"), DriverName::File)
    );
}

#[test]
fn wrong_values_are_refused_by_name() {
    assert!(wrong(&["--name", "Not A Name"]).contains("--name"));
    assert!(wrong(&["--driver", "nginx"]).contains("[possible values: file, haproxy]"));
    assert!(wrong(&["--label", "zone"]).contains("KEY=VALUE"));
    assert!(wrong(&["--label", "zone=a", "--label", "zone=b"]).contains("twice"));
}

#[test]
fn no_error_repeats_a_password() {
    let wrong_url = wrong(&["--amqp-url", "http://me:sesame@rabbit"]);
    assert!(wrong_url.contains("--amqp-url") && !wrong_url.contains("sesame"), "{wrong_url}");
}

#[test]
fn labels_may_be_given_one_by_one_or_with_commas() {
    let options = options(&["--label", "zone=eu", "--label", "tier=web,canary="]).ok().unwrap();
    let labels: Vec<_> =
        options.settings.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(labels, ["canary=", "tier=web", "zone=eu"]);
}
