//! Reads the documents of all files and finds what is wrong with any of them.

use bellwether_ingress::{
    ConfigName, DocumentError, IngressConfig, documents_from_yaml, limits::MAX_FILE_BYTES,
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Everything that is wrong, one line a finding: `file:line:column: path: message`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings(Vec<String>);

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// The documents of all files, in their order; `-` is standard input. Either all are good or none is returned.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<IngressConfig>, Findings> {
    let mut reading = Reading::default();
    for file in files {
        match text_of(file) {
            Ok(text) => reading.add(&shown(file), &text),
            Err(error) => reading.refuse(format!("{}: {error}", shown(file))),
        }
    }
    reading.finish()
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    configs: Vec<IngressConfig>,
    file_of: BTreeMap<ConfigName, String>,
    findings: Findings,
}

impl Reading {
    fn add(&mut self, file: &str, text: &str) {
        match documents_from_yaml(text) {
            Ok(configs) => configs.into_iter().for_each(|config| self.add_config(file, config)),
            Err(errors) => {
                errors.iter().for_each(|error| self.refuse(located(file, error)));
                if errors.omitted() > 0 {
                    self.refuse(format!("{file}: and {} more", errors.omitted()));
                }
            }
        }
    }

    fn add_config(&mut self, file: &str, config: IngressConfig) {
        match self.file_of.insert(config.name().clone(), file.to_owned()) {
            None => self.configs.push(config),
            Some(first) => self.refuse(format!(
                "{file}: metadata.name: a second document named {}, the first is in {first}: rename or remove one",
                config.name()
            )),
        }
    }

    fn refuse(&mut self, finding: String) {
        self.findings.0.push(finding);
    }

    fn finish(self) -> Result<Vec<IngressConfig>, Findings> {
        if self.findings.0.is_empty() { Ok(self.configs) } else { Err(self.findings) }
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

fn located(file: &str, error: &DocumentError) -> String {
    // With a position, the error's own text begins with it.
    let separator = if error.line.is_some() && error.column.is_some() { "" } else { " " };
    format!("{file}:{separator}{error}")
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
