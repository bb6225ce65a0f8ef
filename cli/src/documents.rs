//! Reads the documents of all files and finds what is wrong with any of them.

use bellwether_ingress::{
    Clash, ConfigName, DocumentError, IngressConfig, clashes, documents_from_yaml, limits::MAX_FILE_BYTES,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Everything that is wrong, one line a finding: `file:line:column: path: message`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// What a check of files found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Checked {
    /// The files in which nothing is wrong.
    pub(crate) good: Vec<GoodFile>,
    /// What is wrong with the others, or between any two documents.
    pub(crate) findings: Findings,
}

/// A file in which nothing is wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GoodFile {
    pub(crate) file: String,
    /// How many documents it holds.
    pub(crate) documents: usize,
}

/// The documents of all files, in their order; `-` is standard input. Either all are good or none is returned.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<IngressConfig>, Findings> {
    Reading::of(files).finish()
}

/// Looks at all files, and whether their documents can stand beside each other.
pub(crate) fn check(files: &[PathBuf]) -> Checked {
    Reading::of(files).check()
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    configs: Vec<IngressConfig>,
    /// Each file, with how many documents it holds.
    files: Vec<GoodFile>,
    file_of: BTreeMap<ConfigName, String>,
    findings: Findings,
    faulty: BTreeSet<String>,
}

impl Reading {
    fn of(files: &[PathBuf]) -> Self {
        let mut reading = Self::default();
        for file in files {
            match text_of(file) {
                Ok(text) => reading.add(&shown(file), &text),
                Err(error) => reading.refuse(&shown(file), format_args!(": {error}")),
            }
        }
        reading
    }

    fn add(&mut self, file: &str, text: &str) {
        match documents_from_yaml(text) {
            Ok(configs) => {
                self.files.push(GoodFile { file: file.to_owned(), documents: configs.len() });
                configs.into_iter().for_each(|config| self.add_config(file, config));
            }
            Err(errors) => {
                errors.iter().for_each(|error| self.refuse(file, located(error)));
                if errors.omitted() > 0 {
                    self.refuse(file, format_args!(": and {} more", errors.omitted()));
                }
            }
        }
    }

    fn add_config(&mut self, file: &str, config: IngressConfig) {
        match self.file_of.get(config.name()) {
            None => {
                self.file_of.insert(config.name().clone(), file.to_owned());
                self.configs.push(config);
            }
            Some(first) => {
                let finding = format!(
                    ": metadata.name: a second document named {}, the first is in {first}: rename or remove one",
                    config.name()
                );
                self.refuse(file, finding);
            }
        }
    }

    /// Takes down a finding, which goes on where the file's name ends.
    fn refuse(&mut self, file: &str, finding: impl fmt::Display) {
        self.findings.0.push(format!("{file}{finding}"));
        self.faulty.insert(file.to_owned());
    }

    fn finish(self) -> Result<Vec<IngressConfig>, Findings> {
        if self.findings.is_empty() { Ok(self.configs) } else { Err(self.findings) }
    }

    fn check(mut self) -> Checked {
        let configs = std::mem::take(&mut self.configs);
        let mut before: Vec<&IngressConfig> = Vec::new();
        for config in &configs {
            if let Err(clash) = clashes(&before, config) {
                self.refuse_clash(config.name(), &clash);
            }
            before.push(config);
        }
        let Self { mut files, findings, faulty, .. } = self;
        files.retain(|file| !faulty.contains(&file.file));
        Checked { good: files, findings }
    }

    fn refuse_clash(&mut self, name: &ConfigName, clash: &Clash) {
        let file_of = |name| self.file_of.get(name).cloned().unwrap_or_default();
        let owner = clash.owner().map(|owner| format!(" ({owner} is in {})", file_of(owner)));
        let finding = format!(": document {name}: {clash}{}", owner.unwrap_or_default());
        self.refuse(&file_of(name), finding);
    }
}

fn text_of(file: &Path) -> io::Result<String> {
    if is_stdin(file) { bounded(io::stdin().lock()) } else { bounded(File::open(file)?) }
}

/// Reads to the end, or as much as shows that it is too long.
fn bounded(source: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    source.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("over {} MiB: split the file", MAX_FILE_BYTES >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        io::Error::other(format!("not UTF-8 after {good} bytes: save it as UTF-8"))
    })
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == OsStr::new("-")
}

fn shown(file: &Path) -> String {
    if is_stdin(file) { "<stdin>".to_owned() } else { file.display().to_string() }
}

/// An error as it stands behind a file's name.
fn located(error: &DocumentError) -> String {
    // With a position, the error's own text begins with it.
    let separator = if error.line.is_some() && error.column.is_some() { "" } else { " " };
    format!(":{separator}{error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(name: &str) -> String {
        format!(
            "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
             listeners: [{{name: web, port: 80, protocol: HTTP}}]\n"
        )
    }

    fn read(files: &[(&str, String)]) -> Result<Vec<String>, String> {
        let mut reading = Reading::default();
        files.iter().for_each(|(file, text)| reading.add(file, text));
        let configs = reading.finish().map_err(|findings| findings.to_string())?;
        Ok(configs.iter().map(|config| config.name().to_string()).collect())
    }

    #[test]
    fn documents_come_in_the_order_of_their_files() {
        let two = format!("{}---\n{}", document("b"), document("a"));
        assert_eq!(
            read(&[("1.yaml", two), ("2.yaml", document("c"))]),
            Ok(vec!["b".into(), "a".into(), "c".into()])
        );
    }

    #[test]
    fn a_name_twice_over_all_files_is_refused() {
        let refused = read(&[("1.yaml", document("a")), ("2.yaml", document("a"))]).unwrap_err();
        assert_eq!(
            refused,
            "2.yaml: metadata.name: a second document named a, the first is in 1.yaml: rename or remove one"
        );
    }

    #[test]
    fn the_findings_of_all_files_are_listed_with_their_positions() {
        let refused =
            read(&[("1.yaml", document("A")), ("2.yaml", document("b")), ("3.yaml", document("-"))]);
        let refused = refused.unwrap_err();
        let starts: Vec<_> =
            refused.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>()).collect();
        assert_eq!(starts, [["1.yaml:3:18", "metadata.name"], ["3.yaml:3:18", "metadata.name"]], "{refused}");
    }

    fn check(files: &[(&str, String)]) -> (Vec<(String, usize)>, String) {
        let mut reading = Reading::default();
        files.iter().for_each(|(file, text)| reading.add(file, text));
        let Checked { good, findings } = reading.check();
        (good.into_iter().map(|good| (good.file, good.documents)).collect(), findings.to_string())
    }

    #[test]
    fn good_files_are_counted_and_what_is_wrong_in_others_is_found() {
        let two = format!("{}---\n{}", document("a"), document("b"));
        let (good, findings) =
            check(&[("1.yaml", two), ("2.yaml", document("C")), ("3.yaml", document("d"))]);
        assert_eq!(good, [("1.yaml".into(), 2), ("3.yaml".into(), 1)]);
        assert!(
            findings.starts_with("2.yaml:3:18: metadata.name: ") && findings.lines().count() == 1,
            "{findings}"
        );
    }

    #[test]
    fn documents_that_clash_over_all_files_are_found_and_the_owner_is_named() {
        let other = document("b").replace("protocol: HTTP", "protocol: HTTPS, defaultCertificate: {name: c}");
        let (good, findings) = check(&[("1.yaml", document("a")), ("2.yaml", other)]);
        assert_eq!(good, [("1.yaml".into(), 1)]);
        assert!(findings.starts_with("2.yaml: document b: spec.listeners[0].port: "), "{findings}");
        assert!(findings.ends_with(" (a is in 1.yaml)"), "{findings}");
    }

    #[test]
    fn an_empty_file_is_refused() {
        assert_eq!(
            read(&[("1.yaml", String::new())]),
            Err("1.yaml: document: there is no document in this text".into())
        );
    }

    #[test]
    fn what_is_not_utf8_or_too_long_is_refused() {
        assert!(bounded(&b"a\xff"[..]).unwrap_err().to_string().contains("after 1 bytes"));
        assert!(bounded(io::repeat(b' ')).unwrap_err().to_string().contains("over 16 MiB"));
    }
}
