//! Renders a set to the files of its folder: purely, and to the same bytes each time.

use crate::driver::{EffectiveSet, StagedFile};
use bellwether_ingress::{Digest, IngressConfig, Revision};
use bellwether_proto::StoreId;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file that every set has.
pub(super) const INGRESS_JSON: &str = "ingress.json";

/// Steps that a template may take: enough for the largest fleet, and an end for a loop that has none.
pub(super) const FUEL: u64 = 50_000_000;

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error("the template {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no template, or has no name of its own.
    #[error("the template {path}: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What stands in `ingress.json`, and what a template sees.
#[derive(Serialize)]
struct View<'a> {
    digest: Digest,
    revision: Revision,
    store_id: StoreId,
    configs: &'a [Arc<IngressConfig>],
}

/// A template, read once.
pub(super) struct Template {
    name: String,
    environment: Environment<'static>,
}

impl Template {
    /// Reads a template, which may take `fuel` steps; its output has the same file name.
    pub(super) fn read(path: &Path, fuel: u64) -> Result<Self, TemplateError> {
        let invalid = |reason: String| TemplateError::Invalid { path: path.to_owned(), reason };
        let source = fs::read_to_string(path)
            .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.is_empty() || name == INGRESS_JSON {
            return Err(invalid(format!("it needs a name of its own, other than {INGRESS_JSON}")));
        }
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        environment.set_syntax(syntax.map_err(|error| invalid(error.to_string()))?);
        environment.set_fuel(Some(fuel));
        environment.add_template_owned(name.clone(), source).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { name, environment })
    }

    fn render(&self, view: Value) -> Result<StagedFile, String> {
        let template = self.environment.get_template(&self.name).map_err(|error| error.to_string())?;
        let text = template.render(view).map_err(|error| error.to_string())?;
        Ok(StagedFile::plain(self.name.clone(), text))
    }
}

/// The files of a set.
pub(super) fn render(set: &EffectiveSet, template: Option<&Template>) -> Result<Vec<StagedFile>, String> {
    let EffectiveSet { digest, revision, store_id, ref documents, .. } = *set;
    let view = View { digest, revision, store_id, configs: documents };
    let mut json = serde_json::to_vec(&view).map_err(|error| error.to_string())?;
    json.push(b'\n');
    let mut files = vec![StagedFile::plain(INGRESS_JSON, json)];
    if let Some(template) = template {
        files.push(template.render(Serde(&view).into())?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_never_ends_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.conf");
        fs::write(&path, "{% for a in range(9999) %}{{ a }}{% endfor %}").unwrap();
        let (digest, revision, store_id) = (Digest::empty_set(), 0.into(), StoreId::new());
        let (documents, revisions) = Default::default();
        let set = EffectiveSet { digest, revision, store_id, documents, revisions };
        let render_with = |fuel| render(&set, Some(&Template::read(&path, fuel).unwrap()));
        assert!(render_with(1_000).err().unwrap().contains("fuel"));
        assert_eq!(render_with(FUEL).ok().unwrap().len(), 2);
    }
}
