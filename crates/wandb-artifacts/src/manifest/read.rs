//! From JSON to a manifest.

use std::{borrow::Cow, collections::HashSet, io::Read, sync::Arc};

use wandb_core::{Value, value::Scanner};
use wandb_storage::digest::{Algorithm, ContentDigest};

use crate::digest::EntryDigest;

use super::{
    Limits, Manifest, ManifestEntry, ManifestError, Place,
    entry::{Rest, algorithm_name, reference_digest},
    policy::{check_policy, check_version, policy_config},
    split::Splitter,
};

/// How many birth artifacts are remembered to share their ids; beyond, each entry keeps its own copy.
const SHARED_IDS: usize = 10_000;

/// One character may be escaped as six.
const ESCAPED: usize = 6;

pub(super) fn manifest(reader: impl Read, limits: &Limits) -> Result<Manifest, ManifestError> {
    let mut splitter = Splitter::new(reader, limits);
    let mut entries = None;
    let mut version = None;
    let mut policy = None;
    let mut config = None;
    let mut unknown: Vec<(Box<str>, Box<str>)> = Vec::new();
    let mut unknown_size = 0;
    let mut text = Vec::new();
    let mut more = splitter.open()?;
    while more {
        splitter.name(&mut text, limits.path.saturating_mul(ESCAPED).saturating_add(2))?;
        let name = string(utf8(&text, &Place::Manifest)?, &Place::Manifest)?.into_owned();
        if name == "contents" {
            if entries.replace(contents(&mut splitter, limits)?).is_some() {
                return repeated(Place::Manifest, "contents");
            }
            more = splitter.next()?;
            continue;
        }
        splitter.value(&mut text, limits.entry, "a member that is too long")?;
        let value = utf8(&text, &Place::Manifest)?;
        match &*name {
            "version" => {
                check_version(value)?;
                if version.replace(()).is_some() {
                    return repeated(Place::Manifest, "version");
                }
            }
            "storagePolicy" => {
                check_policy(value)?;
                if policy.replace(()).is_some() {
                    return repeated(Place::Manifest, "storagePolicy");
                }
            }
            "storagePolicyConfig" => {
                if config.replace(policy_config(value)?).is_some() {
                    return repeated(Place::Manifest, "storagePolicyConfig");
                }
            }
            _ => {
                unknown_size += name.len() + value.len();
                if unknown_size > limits.entry {
                    return Err(ManifestError::TooLarge {
                        what: "too many bytes of unknown members",
                        limit: limits.entry as u64,
                    });
                }
                unknown.push((name.into(), checked(value, &Place::Manifest)?.into()));
            }
        }
        more = splitter.next()?;
    }
    splitter.end()?;
    let missing = |member| ManifestError::Missing {
        place: Place::Manifest,
        member,
    };
    version.ok_or_else(|| missing("version"))?;
    policy.ok_or_else(|| missing("storagePolicy"))?;
    let config = config.ok_or_else(|| missing("storagePolicyConfig"))?;
    let entries = entries.ok_or_else(|| missing("contents"))?;
    let manifest = Manifest {
        layout: config.layout,
        region: config.region,
        entries: Vec::new(),
        unknown_config: config.unknown,
        unknown,
    };
    manifest
        .with_entries(entries)
        .map_err(|duplicate| ManifestError::DuplicatePath {
            place: Place::entry(&duplicate.path),
        })
}

fn contents(
    splitter: &mut Splitter<impl Read>,
    limits: &Limits,
) -> Result<Vec<ManifestEntry>, ManifestError> {
    let mut entries = Vec::new();
    let mut ids = HashSet::new();
    let mut name = Vec::new();
    let mut text = Vec::new();
    let mut more = splitter.open()?;
    while more {
        if entries.len() == limits.entries {
            return Err(ManifestError::TooLarge {
                what: "too many entries",
                limit: limits.entries as u64,
            });
        }
        splitter.name(&mut name, limits.path.saturating_mul(ESCAPED).saturating_add(2))?;
        let path = string(utf8(&name, &Place::Manifest)?, &Place::Manifest)?;
        if path.len() > limits.path {
            return Err(ManifestError::TooLarge {
                what: "a path that is too long",
                limit: limits.path as u64,
            });
        }
        splitter.value(&mut text, limits.entry, "an entry that is too long")?;
        entries.push(entry(&path, &text, &mut ids)?);
        more = splitter.next()?;
    }
    Ok(entries)
}

/// The texts of an entry's members.
#[derive(Default)]
struct Members<'a> {
    digest: Option<&'a str>,
    size: Option<&'a str>,
    reference: Option<&'a str>,
    birth_artifact_id: Option<&'a str>,
    extra: Option<&'a str>,
    unknown: Vec<(Box<str>, Box<str>)>,
}

fn entry(path: &str, text: &[u8], ids: &mut HashSet<Arc<str>>) -> Result<ManifestEntry, ManifestError> {
    let place = || Place::entry(path);
    let text = std::str::from_utf8(text).map_err(|_| ManifestError::Encoding { place: place() })?;
    let mut members = Members::default();
    let mut twice = None;
    let mut scanner = Scanner::new(text);
    let walked = scanner.object(|scanner, name| {
        let value = scanner.skip()?;
        let mut once = |member: &mut Option<&'_ str>, name| {
            if member.is_some() {
                twice = Some(name);
            }
        };
        match &*name {
            "digest" => {
                once(&mut members.digest, "digest");
                members.digest = Some(value);
            }
            "size" => {
                once(&mut members.size, "size");
                members.size = Some(value);
            }
            "ref" => {
                once(&mut members.reference, "ref");
                members.reference = Some(value);
            }
            "birthArtifactID" => {
                once(&mut members.birth_artifact_id, "birthArtifactID");
                members.birth_artifact_id = Some(value);
            }
            "extra" => {
                once(&mut members.extra, "extra");
                members.extra = Some(value);
            }
            // They tell of the machine that wrote them (inventory §6.1).
            "local_path" | "skip_cache" => {}
            _ => members.unknown.push((name.into(), value.into())),
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
    let digest = match members.digest {
        Some(digest) => string_member(digest, "digest", &place)?,
        None => None,
    };
    let Some(digest) = digest else {
        return Err(ManifestError::Missing {
            place: place(),
            member: "digest",
        });
    };
    let reference = match members.reference {
        Some(text) => string_member(text, "ref", &place)?,
        None => None,
    };
    let size = match members.size {
        Some(text) => size(text, &place)?,
        None => None,
    };
    let birth_artifact_id = match members.birth_artifact_id {
        Some(text) => string_member(text, "birthArtifactID", &place)?.map(|id| shared(&id, ids)),
        None => None,
    };
    let extra = match members.extra {
        None | Some("null" | "{}") => None,
        Some(text) if text.starts_with('{') => Some(text),
        Some(_) => {
            return Err(ManifestError::Type {
                place: place(),
                member: "extra",
                expected: "an object",
            });
        }
    };
    let digest = entry_digest(&digest, reference.as_deref(), extra, &place)?;
    Ok(ManifestEntry::from_parts(
        path.into(),
        digest,
        size,
        birth_artifact_id,
        Rest {
            reference: reference.map(Into::into),
            extra: extra.map(Into::into),
            unknown: members.unknown,
        },
    ))
}

fn entry_digest(
    digest: &str,
    reference: Option<&str>,
    extra: Option<&str>,
    place: &impl Fn() -> Place,
) -> Result<EntryDigest, ManifestError> {
    let name = extra.and_then(algorithm_name);
    let algorithm = match name.as_deref() {
        None => Some(Algorithm::Md5),
        Some(name) => Algorithm::from_name(name),
    };
    match (reference, algorithm) {
        (Some(address), Some(algorithm)) => Ok(reference_digest(address, algorithm, digest.into())),
        (Some(_), None) => Ok(EntryDigest::Opaque(digest.into())),
        (None, Some(algorithm)) => ContentDigest::parse(algorithm, digest)
            .map(EntryDigest::Content)
            .map_err(|source| ManifestError::Digest {
                place: place(),
                source,
            }),
        (None, None) => Err(ManifestError::Algorithm {
            place: place(),
            found: ManifestError::cut(&name.unwrap_or_default()),
        }),
    }
}

fn size(text: &str, place: &impl Fn() -> Place) -> Result<Option<u64>, ManifestError> {
    let value = Value::parse(text).map_err(|source| ManifestError::Json {
        place: place(),
        source,
    })?;
    let size = match &value {
        Value::Null => return Ok(None),
        Value::UInt(size) => Some(*size),
        // The official client takes `3.0` for a size too.
        other => other.as_i64().and_then(|size| u64::try_from(size).ok()),
    };
    match size {
        Some(size) => Ok(Some(size)),
        None => Err(ManifestError::Type {
            place: place(),
            member: "size",
            expected: "a number of bytes",
        }),
    }
}

fn shared(id: &str, ids: &mut HashSet<Arc<str>>) -> Arc<str> {
    if let Some(known) = ids.get(id) {
        return known.clone();
    }
    let id: Arc<str> = id.into();
    if ids.len() < SHARED_IDS {
        ids.insert(id.clone());
    }
    id
}

pub(super) fn repeated<T>(place: Place, member: &'static str) -> Result<T, ManifestError> {
    Err(ManifestError::Repeated { place, member })
}

fn utf8<'a>(text: &'a [u8], place: &Place) -> Result<&'a str, ManifestError> {
    std::str::from_utf8(text).map_err(|_| ManifestError::Encoding { place: place.clone() })
}

/// The text of a JSON value, once it is known to be one.
fn checked<'a>(text: &'a str, place: &Place) -> Result<&'a str, ManifestError> {
    let mut scanner = Scanner::new(text);
    let checked = scanner.skip();
    checked
        .and_then(|value| scanner.end().map(|()| value))
        .map_err(|source| ManifestError::Json {
            place: place.clone(),
            source,
        })
}

fn string<'a>(text: &'a str, place: &Place) -> Result<Cow<'a, str>, ManifestError> {
    Scanner::new(text).string().map_err(|source| ManifestError::Json {
        place: place.clone(),
        source,
    })
}

/// A member that is a text; `null` is as good as none.
pub(super) fn string_member<'a>(
    text: &'a str,
    member: &'static str,
    place: &impl Fn() -> Place,
) -> Result<Option<Cow<'a, str>>, ManifestError> {
    match text.as_bytes().first() {
        Some(b'"') => string(text, &place()).map(Some),
        Some(b'n') if text == "null" => Ok(None),
        _ => Err(ManifestError::Type {
            place: place(),
            member,
            expected: "a text",
        }),
    }
}
