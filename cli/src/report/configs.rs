//! The list of configs.

use super::{
    Style,
    table::{Rows, plain},
};
use bellwether_proto::http::ConfigView;

const NONE: &str = "No configs yet. Push one with `bellwether push FILE`.";

pub(super) fn text(configs: &[ConfigView], style: Style) -> String {
    if configs.is_empty() {
        return NONE.to_owned();
    }
    let mut by_name: Vec<_> = configs.iter().collect();
    by_name.sort_by_key(|config| &config.name);
    let mut rows = Rows::new(style, &["NAME", "REVISION", "AUTHOR", "UPDATED", "DIGEST"], 5);
    for config in by_name {
        rows.add([
            plain(&config.name),
            plain(config.revision),
            plain(&config.author),
            plain(&config.updated_at),
            plain(config.digest.to_string().chars().take(12).collect::<String>()),
        ]);
    }
    rows.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Output;
    use bellwether_ingress::{Digest, Revision};

    #[test]
    fn configs_are_listed_by_name() {
        let config = |name: &str| ConfigView {
            name: name.parse().unwrap(),
            revision: Revision::from(7),
            digest: Digest::empty_set(),
            author: "ann@laptop".into(),
            updated_at: "2026-01-02T03:04:05Z".into(),
        };
        assert_eq!(
            text(&[config("shop"), config("blog")], Style::plain(Output::Table)),
            "NAME  REVISION  AUTHOR      UPDATED               DIGEST\n\
             blog  7         ann@laptop  2026-01-02T03:04:05Z  e3b0c44298fc\n\
             shop  7         ann@laptop  2026-01-02T03:04:05Z  e3b0c44298fc"
        );
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        assert_eq!(text(&[], Style::plain(Output::Table)), NONE);
    }
}
