//! The draft itself: entries by path, and where their bytes are.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use wandb_core::{Error, ErrorKind, Result, path::refuse_hostile};

use crate::{
    digest::{Algorithm, ArtifactDigest},
    filenames::PathReport,
    layout::StorageLayout,
    manifest::{Manifest, ManifestEntry},
    transfer::{LocalFile, LocalSource},
};

/// A version that is being put together. Its bytes are hashed when they are added, and once more when they are sent, so that a
/// file that changes between ends in an error and never in a version with other bytes than its manifest says.
///
/// Files are not copied: they must stay as they are until the version is logged (official: policy `immutable`; the official
/// default copies every file first).
#[derive(Debug, Clone, Default)]
pub struct Draft {
    algorithm: Algorithm,
    region: Option<String>,
    members: BTreeMap<String, Member>,
}

/// One member.
#[derive(Debug, Clone)]
struct Member {
    entry: ManifestEntry,
    /// `None` for references, and for what the base version has.
    source: Option<LocalSource>,
}

impl Draft {
    /// An empty draft. All files of a version have one algorithm; MD5 unless the server and the collection know XXH128.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            ..Self::default()
        }
    }

    /// A draft that begins with everything that another version has (official: `new_draft`, `incremental`). Its files are not
    /// uploaded again.
    #[must_use]
    pub fn from_base(base: &Manifest) -> Self {
        let members = base.iter().map(|entry| {
            let member = Member {
                entry: entry.clone(),
                source: None,
            };
            (entry.path().to_owned(), member)
        });
        Self {
            algorithm: base.algorithm(),
            region: base.region().map(str::to_owned),
            members: members.collect(),
        }
    }

    /// Sets the storage region, which the manifest names.
    #[must_use]
    pub fn with_region(mut self, region: Option<String>) -> Self {
        self.region = region;
        self
    }

    /// The algorithm of its files.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The entry of a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&ManifestEntry> {
        self.members.get(path).map(|member| &member.entry)
    }

    /// Where the bytes of a path are on this machine; `None` for references and for what the base version has.
    #[must_use]
    pub fn source(&self, path: &str) -> Option<&LocalSource> {
        self.members.get(path)?.source.as_ref()
    }

    /// Removes an entry, or all entries below a directory. Gives how many (official: `remove`).
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is neither.
    pub fn remove(&mut self, path: &str) -> Result<usize> {
        if self.members.remove(path).is_some() {
            return Ok(1);
        }
        let below = format!("{}/", path.trim_end_matches('/'));
        let doomed: Vec<String> = self
            .members
            .range(below.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&below))
            .cloned()
            .collect();
        for path in &doomed {
            self.members.remove(path);
        }
        if doomed.is_empty() {
            return Err(Error::not_found(format!("entry {path:?} of the draft")));
        }
        Ok(doomed.len())
    }

    /// Adds or replaces an entry. Another content under the same path is refused unless `overwrite` (official).
    pub(super) fn put(
        &mut self,
        entry: ManifestEntry,
        source: Option<LocalSource>,
        overwrite: bool,
    ) -> Result<()> {
        self.check(&entry, overwrite)?;
        self.members
            .insert(entry.path().to_owned(), Member { entry, source });
        Ok(())
    }

    /// What [`put`](Self::put) would refuse.
    pub(super) fn check(&self, entry: &ManifestEntry, overwrite: bool) -> Result<()> {
        // A name that nobody could download is not logged either. What this system cannot hold, another may.
        let path = entry.path();
        refuse_hostile(path)
            .map_err(|error| Error::from(error).with_hint("give it another path in the artifact"))?;
        let refused = |message: String| Err(Error::new(ErrorKind::Conflict, message));
        if let Some(member) = self.members.get(path) {
            return if overwrite || member.entry.digest() == entry.digest() {
                Ok(())
            } else {
                refused(format!("the draft has {path:?} already, with another content"))
            };
        }
        let mut parent = path;
        while let Some((folder, _)) = parent.rsplit_once('/') {
            if self.members.contains_key(folder) {
                return refused(format!(
                    "{folder:?} is a file of the draft, so {path:?} cannot be below it"
                ));
            }
            parent = folder;
        }
        let below = format!("{path}/");
        match self.members.range(below.clone()..).next() {
            Some((other, _)) if other.starts_with(&below) => {
                refused(format!("{path:?} is a directory of the draft: it has {other:?}"))
            }
            _ => Ok(()),
        }
    }

    /// What is to be said of the names before they are logged: which of them some systems cannot hold, or not beside each
    /// other. They are no error: it takes [`NamePolicy::System`](crate::filenames::NamePolicy) to download them.
    #[must_use]
    pub fn path_report(&self) -> PathReport<'_> {
        PathReport::of(self.members.keys().map(String::as_str))
    }

    /// The manifest as far as it is known: without the versions in which new bytes first appear.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        self.manifest_with(&HashMap::new())
    }

    /// The manifest after the upload, which tells in which version the bytes of each path first appeared.
    #[must_use]
    pub fn manifest_with(&self, birth_artifact_ids: &HashMap<String, String>) -> Manifest {
        let entries = self.members.iter().map(|(path, member)| {
            let entry = member.entry.clone();
            match birth_artifact_ids.get(path) {
                Some(id) if !entry.is_reference() => entry.with_birth_artifact_id(id.as_str()),
                _ => entry,
            }
        });
        Manifest::with_layout(StorageLayout::V2, self.region.as_deref())
            .with_entries(entries.collect())
            .expect("the draft has each path once")
    }

    /// The digest that the version will have. It does not depend on where the bytes are.
    #[must_use]
    pub fn digest(&self) -> ArtifactDigest {
        self.manifest().digest_by(self.algorithm)
    }

    /// The files whose bytes are on this machine: what an [`Upload`](crate::transfer::Upload) needs. What the base version has
    /// and references are not among them.
    #[must_use]
    pub fn files(&self) -> Vec<LocalFile> {
        let file = |(path, member): (&String, &Member)| {
            Some(LocalFile {
                path: path.clone(),
                source: member.source.clone()?,
                size: member.entry.size()?,
                digest: member.entry.content_digest()?,
            })
        };
        self.members.iter().filter_map(file).collect()
    }
}

/// The last segment of a local path, which is the default name of what is added.
pub(super) fn name_of(path: &Path) -> Result<String> {
    path.file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .ok_or_else(|| Error::invalid_input(format!("{path:?} has no name that can be used: give one")))
}

/// A name in the form of paths in artifacts.
pub(super) fn joined(prefix: Option<&str>, rest: &str) -> String {
    match prefix.map(|prefix| prefix.trim_matches('/')) {
        None | Some("" | ".") => rest.to_owned(),
        Some(prefix) => format!("{prefix}/{rest}"),
    }
}
