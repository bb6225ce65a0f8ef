//! A body that says nothing, and may come to say something.

use serde::{Deserialize, Serialize};

/// A request or a reply that says nothing: `{}`. A newer peer may add fields, which are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}
