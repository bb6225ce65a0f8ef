//! The files in which nothing is wrong.

use super::text::{printable, thousands};
use crate::documents::{Checked, GoodFile};

/// `shop.yaml: 2 documents are good`, a line for each file.
pub(super) fn text(checked: &Checked) -> String {
    checked.good.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(GoodFile { file, documents }: &GoodFile) -> String {
    let are = if *documents == 1 { "document is" } else { "documents are" };
    format!("{}: {} {are} good", printable(file), thousands(*documents))
}
