//! Settings: a flag, else the environment, else a TOML file, else the default.

use clap::{Arg, ArgAction, Command, Parser};
use std::{ffi::OsString, fs, path::PathBuf};
use toml::{Table, Value};

/// The flag that names the file, and its variable.
const FLAG: &str = "config";
const VARIABLE: &str = "BELLWETHER_CONFIG";

/// Why settings were refused: a usage error.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("--config {path}: {error}")]
    Unreadable { path: String, error: String },
    #[error("--config {path}: there is no setting {key:?}; settings are named like flags: {known}")]
    Unknown { path: String, key: String, known: String },
    #[error("--config {path}: {key} must be a text, a number, true or false, or a list of texts")]
    Unusable { path: String, key: String },
}

/// Reads the settings of a program whose flags are `T`, or ends it with exit 2 and a message. The settings file has the
/// names of the flags as its keys; what it says takes the place of the defaults.
#[must_use]
pub fn parse<T: Parser>() -> T {
    read(std::env::args_os().collect(), std::env::var_os(VARIABLE)).unwrap_or_else(|error| error.exit())
}

/// [`parse`] with the arguments and the file given, and without the end.
///
/// # Errors
/// When a setting is wrong; the error holds no setting's value that is [`crate::unrepeated`].
pub fn read<T: Parser>(arguments: Vec<OsString>, file: Option<OsString>) -> Result<T, clap::Error> {
    let mut command = T::command().arg(
        Arg::new(FLAG)
            .long(FLAG)
            .global(true)
            .value_name("FILE")
            .env(VARIABLE)
            .value_parser(clap::value_parser!(PathBuf))
            .help("A TOML file with settings, named like these flags; a flag or a variable overrides it"),
    );
    if let Some(path) = file_in(&arguments).or(file) {
        command = with_defaults_from(command, PathBuf::from(path)).map_err(|error| {
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{error}\n"))
        })?;
    }
    let matches = command.clone().try_get_matches_from(arguments)?;
    T::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The file that is named on the command line: it has to be read before the rest can be.
fn file_in(arguments: &[OsString]) -> Option<OsString> {
    let flag = format!("--{FLAG}");
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        if *argument == *flag {
            return arguments.next().cloned();
        }
        if let Some(value) = argument.to_str().and_then(|text| text.strip_prefix(&format!("{flag}="))) {
            return Some(value.into());
        }
    }
    None
}

fn with_defaults_from(mut command: Command, path: PathBuf) -> Result<Command, FileError> {
    let shown = path.display().to_string();
    let unreadable = |error: String| FileError::Unreadable { path: shown.clone(), error };
    let text = fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
    // The parser's message would show the line, and the line may hold a password.
    let table: Table =
        text.parse().map_err(|error: toml::de::Error| unreadable(error.message().to_owned()))?;
    for (key, value) in table {
        let key = key.replace('_', "-");
        let known: Vec<String> =
            settable(&command).map(|arg| arg.get_id().to_string().replace('_', "-")).collect();
        let id = settable(&command)
            .find(|arg| arg.get_long() == Some(&*key))
            .map(|arg| arg.get_id().clone())
            .ok_or_else(|| FileError::Unknown {
                path: shown.clone(),
                key: key.clone(),
                known: known.join(", "),
            })?;
        let values = texts(value).ok_or_else(|| FileError::Unusable { path: shown.clone(), key })?;
        command = command.mut_arg(id, |arg| with_default(arg, values));
    }
    Ok(command)
}

fn settable(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| arg.get_long().is_some_and(|long| !["config", "help", "version"].contains(&long)))
}

fn with_default(arg: Arg, values: Vec<String>) -> Arg {
    match arg.get_action() {
        // A flag without a value: `true` in the file is the flag given.
        ArgAction::SetTrue => arg.default_value(values.concat()),
        _ => arg.default_values(values).required(false),
    }
}

fn texts(value: Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Boolean(truth) => Some(vec![truth.to_string()]),
        Value::Array(values) => values.into_iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tempfile::NamedTempFile;

    #[derive(Debug, Parser)]
    struct Flags {
        #[arg(long, default_value = "built in")]
        state_dir: String,
        #[arg(long)]
        label: Vec<String>,
        #[arg(long)]
        allow: bool,
    }

    fn file(text: &str) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn flags(arguments: &[&str], variable: Option<&NamedTempFile>) -> Result<Flags, clap::Error> {
        let arguments = ["program"].iter().chain(arguments).map(OsString::from).collect();
        read(arguments, variable.map(|file| file.path().into()))
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        assert_eq!(flags(&[], None).unwrap().state_dir, "built in");
        let file = file("state-dir = \"from the file\"\nlabel = [\"a=1\", \"b=2\"]\nallow = true");
        let read = flags(&[], Some(&file)).unwrap();
        assert_eq!((&*read.state_dir, read.label.len(), read.allow), ("from the file", 2, true));
        let named = format!("--config={}", file.path().display());
        let read = flags(&[&named, "--state-dir", "flag", "--label", "c=3"], None).unwrap();
        assert_eq!((&*read.state_dir, read.label), ("flag", vec!["c=3".to_owned()]));
    }

    #[test]
    fn a_file_that_is_wrong_is_a_usage_error_that_says_why_and_shows_no_value() {
        for (text, word) in [
            ("state-dri = \"x\"", "state-dri"),
            ("state-dir = 1.5", "state-dir"),
            ("state-dir = \"sesame", "--config"),
            ("[state-dir]\na = 1", "state-dir"),
        ] {
            let error = flags(&[], Some(&file(text))).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{text}");
            assert!(error.to_string().contains(word), "{text}: {error}");
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
        let missing = flags(&["--config", "/nowhere/at/all"], None).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/at/all"), "{missing}");
    }
}
