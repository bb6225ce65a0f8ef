//! How a set is written in `state.json`.

use crate::set::{ConfigSet, Documents, Held, digest_of};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Revision};
use bellwether_proto::StoreId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, sync::Arc};

/// The format that is written; a newer one is not read.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct StateFile {
    format: u32,
    store_id: StoreId,
    revision: Revision,
    floor: Revision,
    digest: Digest,
    configs: Vec<StoredConfig>,
    removals: BTreeMap<ConfigName, Revision>,
}

#[derive(Serialize, Deserialize)]
struct StoredConfig {
    revision: Revision,
    config: Arc<IngressConfig>,
}

/// What every format says, whatever else it says.
#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

/// The bytes of a set; none for one that was never taken from a store.
pub(super) fn write(set: &ConfigSet) -> io::Result<Option<Vec<u8>>> {
    let known = set.known();
    let Some(store_id) = known.store_id else { return Ok(None) };
    let stored = |held: &Held| StoredConfig { revision: held.revision, config: held.document.clone() };
    let file = StateFile {
        format: FORMAT,
        store_id,
        revision: known.revision,
        floor: set.floor(),
        digest: known.digest,
        configs: set.documents().values().map(stored).collect(),
        removals: set.removals().clone(),
    };
    Ok(Some(serde_json::to_vec(&file)?))
}

/// The set in these bytes, or what is wrong with them.
pub(super) fn read(bytes: &[u8]) -> Result<ConfigSet, String> {
    let AnyFormat { format } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!("it has format {format}, and this agent reads format {FORMAT}"));
    }
    let file: StateFile = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let held =
        |StoredConfig { revision, config }| (config.name().clone(), Held { revision, document: config });
    let documents: Documents = file.configs.into_iter().map(held).collect();
    if digest_of(&documents) != file.digest {
        return Err("its documents do not have the digest that it names".to_owned());
    }
    Ok(ConfigSet::remembered(file.store_id, file.revision, file.floor, documents, file.removals))
}
