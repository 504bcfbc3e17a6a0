//! What a manifest says of itself: its version, and how its files are kept.

use wandb_core::{Value, value::Scanner};

use crate::layout::StorageLayout;

use super::{
    ManifestError, Place,
    read::{repeated, string_member},
};

/// The one storage policy that there is.
pub(super) const STORAGE_POLICY: &str = "wandb-storage-policy-v1";

pub(super) struct PolicyConfig {
    pub(super) layout: StorageLayout,
    pub(super) region: Option<Box<str>>,
    pub(super) unknown: Vec<(Box<str>, Box<str>)>,
}

pub(super) fn policy_config(text: &str) -> Result<PolicyConfig, ManifestError> {
    let place = || Place::StoragePolicyConfig;
    let mut layout = None;
    let mut region = None;
    let mut unknown = Vec::new();
    let mut twice = None;
    let mut scanner = Scanner::new(text);
    let walked = scanner.object(|scanner, name| {
        let value = scanner.skip()?;
        match &*name {
            "storageLayout" => {
                if layout.replace(value).is_some() {
                    twice = Some("storageLayout");
                }
            }
            "storageRegion" => {
                if region.replace(value).is_some() {
                    twice = Some("storageRegion");
                }
            }
            _ => unknown.push((name.into(), value.into())),
        }
        Ok(())
    });
    walked
        .and_then(|()| scanner.end())
        .map_err(|source| ManifestError::Json {
            place: place(),
            source,
        })?;
    if let Some(member) = twice {
        return repeated(place(), member);
    }
    let layout = match layout {
        Some(text) => string_member(text, "storageLayout", &place)?,
        None => None,
    };
    let layout = match layout {
        None => StorageLayout::V1,
        Some(name) => StorageLayout::from_name(&name).ok_or_else(|| ManifestError::StorageLayout {
            found: ManifestError::cut(&name),
        })?,
    };
    let region = match region {
        Some(text) => string_member(text, "storageRegion", &place)?,
        None => None,
    };
    Ok(PolicyConfig {
        layout,
        region: region.map(Into::into),
        unknown,
    })
}

pub(super) fn check_version(text: &str) -> Result<(), ManifestError> {
    let version = Value::parse(text).map_err(|source| ManifestError::Json {
        place: Place::Manifest,
        source,
    })?;
    if version.same_as(&Value::Int(1)) {
        return Ok(());
    }
    Err(ManifestError::Version {
        found: ManifestError::cut(text),
    })
}

pub(super) fn check_policy(text: &str) -> Result<(), ManifestError> {
    match string_member(text, "storagePolicy", &|| Place::Manifest)? {
        Some(name) if name == STORAGE_POLICY => Ok(()),
        Some(name) => Err(ManifestError::StoragePolicy {
            found: ManifestError::cut(&name),
        }),
        None => Err(ManifestError::Missing {
            place: Place::Manifest,
            member: "storagePolicy",
        }),
    }
}
