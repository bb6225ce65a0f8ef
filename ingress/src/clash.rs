//! What several documents may not do together.

use crate::config::IngressConfig;
use crate::name::ConfigName;

/// Placeholder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("clash with {owner}")]
pub struct Clash { owner: ConfigName }

/// Placeholder.
pub fn clashes(_existing: &[&IngressConfig], _new: &IngressConfig) -> Result<(), Clash> { Ok(()) }
