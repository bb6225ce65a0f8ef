//! HAProxy's complaints, one line a cause, and the documents that they are about.

use crate::{driver::Refused, words::bounded};
use bellwether_ingress::ConfigName;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The most causes that are told.
const CAUSES: usize = 5;

/// Lines that only say that there were others.
const SUMMARIES: [&str; 4] =
    ["Error(s) found in", "Fatal errors found", "Loading failure", "Some warnings were found"];

/// The alerts in what HAProxy wrote, without its prefixes.
pub(super) fn causes(output: &str) -> Vec<String> {
    let alerts = output.lines().filter_map(|line| line.split_once("[ALERT]"));
    let causes = alerts.filter_map(|(_, rest)| rest.split_once(" : ")).map(|(_, cause)| {
        cause.trim().trim_start_matches("config : ").chars().filter(|c| !c.is_control()).collect::<String>()
    });
    causes.filter(|cause| !SUMMARIES.iter().any(|summary| cause.starts_with(summary))).collect()
}

/// What happened, and in HAProxy's own words why.
pub(super) fn said(what: &str, output: &str) -> String {
    let causes = causes(output);
    match causes.as_slice() {
        [] => what.to_owned(),
        causes => bounded(format!("{what}: {}", few(causes))),
    }
}

fn few(causes: &[String]) -> String {
    causes.iter().take(CAUSES).map(String::as_str).collect::<Vec<_>>().join(" | ")
}

/// A checked set, in which complaints are looked up.
pub(super) struct Checked<'a> {
    /// Its folder, which causes name at length.
    pub(super) folder: &'a Path,
    /// The text of its main file.
    pub(super) config: &'a str,
    /// The documents, and the files that each needs for itself.
    pub(super) documents: &'a BTreeMap<ConfigName, BTreeSet<String>>,
}

impl Checked<'_> {
    /// The documents that these causes are about, each with its words; nobody where that is not known.
    pub(super) fn blamed(&self, causes: &[String]) -> Vec<Refused> {
        let mut refused: Vec<Refused> = Vec::new();
        for cause in causes {
            let words = bounded(cause.replace(&format!("{}/", self.folder.display()), ""));
            for document in self.about(cause) {
                if !refused.iter().any(|it| it.document == *document) {
                    refused.push(Refused { document: document.clone(), words: words.clone() });
                }
            }
        }
        refused
    }

    /// All of it, in short.
    pub(super) fn in_short(&self, causes: &[String]) -> String {
        bounded(few(causes).replace(&format!("{}/", self.folder.display()), ""))
    }

    fn about(&self, cause: &str) -> Vec<&ConfigName> {
        let by_line = self.section_of(cause);
        let is_about = |document: &ConfigName, needed: &BTreeSet<String>| {
            let names_backend = cause.contains(&format!("'{document}_"));
            let names_file = || needed.iter().any(|file| cause.contains(file.as_str()));
            by_line.is_some_and(|section| section == document.as_str()) || names_backend || names_file()
        };
        let documents = self.documents.iter().filter(|(document, needed)| is_about(document, needed));
        documents.map(|(document, _)| document).collect()
    }

    /// The document of the backend's section that a cause names a line of, as in `haproxy.cfg:20]`.
    fn section_of(&self, cause: &str) -> Option<&str> {
        let (_, rest) = cause.split_once(&format!("{}:", super::render::CONFIG))?;
        let line: usize = rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()?;
        let lines: Vec<_> = self.config.lines().take(line).collect();
        let section = lines.into_iter().rev().find(|line| !line.starts_with(' '))?;
        section.strip_prefix("backend ")?.split_once('_').map(|(document, _)| document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
[NOTICE]   (1149) : haproxy version is 2.6.12-1+deb12u4
[ALERT]    (1149) : config : parsing [/s/x/haproxy.cfg:4] : unknown keyword 'bogus' in 'backend' section
[ALERT]    (1149) : config : parsing [/s/x/_a:443.crt-list:1] : unable to load certificate '/s/x/cert-c.pem'.
[ALERT]    (1149) : config : Error(s) found in configuration file : /s/x/haproxy.cfg
[ALERT]    (1149) : config : Fatal errors found in configuration.
";
    const CONFIG: &str = "global\n    x\nbackend shop_web\n    bogus\nbackend other_web\n    balance\n";

    #[test]
    fn a_cause_is_one_line_and_names_its_document_by_section_or_certificate() {
        let causes = causes(OUTPUT);
        assert_eq!(causes.len(), 2, "{causes:?}");
        let documents =
            [("shop", ""), ("other", "cert-c.pem"), ("third", "cert-d.pem")].map(|(name, file)| {
                (
                    name.parse().unwrap(),
                    Some(file.to_owned()).filter(|file| !file.is_empty()).into_iter().collect(),
                )
            });
        let documents = BTreeMap::from(documents);
        let checked = Checked { folder: Path::new("/s/x"), config: CONFIG, documents: &documents };
        let blamed = checked.blamed(&causes);
        let names: Vec<_> = blamed.iter().map(|it| it.document.as_str()).collect();
        assert_eq!(names, ["shop", "other"]);
        assert_eq!(blamed[0].words, "parsing [haproxy.cfg:4] : unknown keyword 'bogus' in 'backend' section");
        assert!(checked.blamed(&["out of memory".to_owned()]).is_empty());
    }
}
