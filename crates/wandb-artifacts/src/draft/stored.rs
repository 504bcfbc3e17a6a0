//! References to objects of stores: one object, or all below a prefix (official: `s3_handler`, `gcs_handler`,
//! `azure_handler`).

use wandb_core::{
    Error, Result,
    client::Client,
    value::{Map, Value},
};

use super::{ReferenceOptions, model::joined};
use crate::{
    manifest::ManifestEntry,
    reference::{ObjectAddress, Scheme},
    stores::{ObjectStores, Stored},
};

/// The entries of an address: the object that is there, else everything below it as a directory.
pub(super) async fn entries(
    client: &Client,
    stores: &ObjectStores,
    place: &ObjectAddress,
    path: Option<&str>,
    options: &ReferenceOptions,
) -> Result<Vec<ManifestEntry>> {
    let store = stores.open(place, client)?;
    let key = place.key();
    let found = match key {
        "" => None,
        _ => store.look_at(place.version()).await?,
    };
    match found {
        Some(found) if !found.is_folder => {
            let name = match path {
                Some(path) => path,
                None => key.rsplit_once('/').map_or(key, |(_, name)| name),
            };
            return Ok(vec![entry(place, name.to_owned(), place.bare(), found)]);
        }
        None if place.version().is_some() => {
            return Err(Error::not_found(format!("that version of {}", place.bare())));
        }
        _ => {}
    }
    let below = store.list(options.max_objects).await?;
    if below.is_empty() {
        return Err(Error::not_found(format!(
            "an object at or below {}",
            place.bare()
        )));
    }
    let prefix = match key.trim_end_matches('/') {
        "" => String::new(),
        key => format!("{key}/"),
    };
    let of = |stored: Stored| {
        let rest = stored.key.strip_prefix(&prefix).unwrap_or(&stored.key);
        let (name, address) = (joined(path, rest), place.with_key(&stored.key)?);
        Ok(entry(place, name, address, stored))
    };
    below.into_iter().map(of).collect()
}

fn entry(place: &ObjectAddress, path: String, address: String, stored: Stored) -> ManifestEntry {
    let digest = stored.etag.clone().unwrap_or_else(|| address.clone());
    let mut extra = Map::new();
    if place.scheme() == Scheme::Gs {
        // Official: a number, and no tag.
        if let Some(generation) = stored.version {
            let number = generation.parse::<i64>().map(Value::from);
            extra.insert("versionID", number.unwrap_or_else(|_| Value::from(generation)));
        }
    } else {
        if let Some(etag) = stored.etag {
            extra.insert("etag", Value::from(etag));
        }
        if let Some(version) = stored.version {
            extra.insert("versionID", Value::from(version));
        }
    }
    ManifestEntry::reference(path, address, digest)
        .with_size(stored.size)
        .with_extra(extra)
}
