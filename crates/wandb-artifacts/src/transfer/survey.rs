//! What is there, and what is not: the facts of the disk that a download begins with.

use std::collections::BTreeSet;

use wandb_core::{Error, ErrorKind, Result, path::RelativePath};
use wandb_storage::{Algorithm, ContentDigest, Directory, FileStat, Found};

use super::present::VerifiedFacts;
use crate::{
    manifest::{Manifest, ManifestEntry},
    parallel,
};

/// What is known of the entries in scope.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// How many files are there and verified.
    pub(crate) present: u64,
    /// How many bytes those have.
    pub(crate) present_bytes: u64,
    /// The entries that are not; indexes into the manifest's, in order.
    pub(crate) needed: Vec<usize>,
}

/// What a verified file of an entry is recorded as: the digest of its bytes, or, for a reference without one, of its address
/// and its entity tag, so that a new tag makes it new.
pub(crate) fn token_of(entry: &ManifestEntry) -> ContentDigest {
    entry.content_digest().unwrap_or_else(|| {
        let address = entry.address().unwrap_or_default();
        Algorithm::Xxh128.hash(format!("{address}\n{}", entry.digest()).as_bytes())
    })
}

/// Looks at every entry of `indexes`. A file whose facts are those of its verification is present; one with the right size is
/// read, in parallel; nothing else is.
pub(crate) fn survey(
    manifest: &Manifest,
    indexes: impl IntoIterator<Item = usize>,
    directory: &Directory,
    facts: &mut VerifiedFacts,
) -> Result<Survey> {
    let mut survey = Survey::default();
    let mut unread: Vec<(usize, RelativePath, FileStat, ContentDigest)> = Vec::new();
    for index in indexes {
        let entry = &manifest.entries()[index];
        let name = entry.relative_path()?;
        match directory.look_at(&name)? {
            Found::Nothing | Found::Other => survey.needed.push(index),
            Found::Directory => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "a directory is where the file {:?} should be",
                        directory.path_of(&name)
                    ),
                )
                .with_hint("remove it, or choose another directory"));
            }
            Found::File(stat) => {
                // References to another artifact record no size.
                let is_size_known = !entry.is_reference() || entry.size().is_some_and(|size| size > 0);
                let has_size = !is_size_known || entry.size().is_none_or(|size| size == stat.size);
                if has_size && facts.digest(entry.path(), &stat) == Some(token_of(entry)) {
                    survey.present += 1;
                    survey.present_bytes += stat.size;
                } else if let Some(digest) = entry.content_digest().filter(|_| has_size) {
                    unread.push((index, name, stat, digest));
                } else {
                    survey.needed.push(index);
                }
            }
        }
    }
    let verified = parallel::map(
        unread.len(),
        parallel::processors(),
        || (),
        |(), place| {
            let (_, name, stat, digest) = &unread[place];
            // Whatever cannot be read is fetched, and its error, if it stays, comes when it is written.
            let is_right = directory
                .facts(name, digest.algorithm())
                .is_ok_and(|found| found.is_some_and(|found| found.digest == *digest))
                // It must not have changed while it was read.
                && directory.look_at(name).is_ok_and(|now| now == Found::File(*stat));
            Some(is_right.then_some(*stat))
        },
    );
    for (place, stat) in verified {
        let (index, _, _, digest) = &unread[place];
        match stat {
            Some(stat) => {
                facts.note(manifest.entries()[*index].path(), stat, *digest);
                survey.present += 1;
                survey.present_bytes += stat.size;
            }
            None => survey.needed.push(*index),
        }
    }
    survey.needed.sort_unstable();
    Ok(survey)
}

/// Removes what killed downloads left in the folders of these entries, but for the parts that this one goes on with.
pub(crate) fn sweep(
    manifest: &Manifest,
    scope: std::ops::Range<usize>,
    needed: &[usize],
    directory: &Directory,
) -> Result<usize> {
    let mut folders: BTreeSet<Option<&str>> = BTreeSet::new();
    for entry in &manifest.entries()[scope] {
        folders.insert(entry.path().rsplit_once('/').map(|(folder, _)| folder));
    }
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for &index in needed {
        let entry = &manifest.entries()[index];
        if let Some(digest) = entry.content_digest() {
            wanted.extend(Directory::resumable_part_names(&entry.relative_path()?, &digest));
        }
    }
    Ok(folders
        .into_iter()
        .map(|folder| directory.sweep_parts(folder, &|name| wanted.contains(name)))
        .sum())
}
