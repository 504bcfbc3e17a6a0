//! A directory with exactly the files of a version: what is not one is removed.
//!
//! What stands where a member or its folder must be (a directory, a file, a link) is removed before the download, everything
//! else after it. A process that is killed anywhere leaves a directory that the next checkout completes.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use serde::Serialize;
use wandb_core::{
    Error, ErrorKind, Result,
    path::{clash_key, safe_relative_path},
};
use wandb_storage::{Directory, EntryKind, Found, Walked};

use super::{Download, DownloadedArtifact, blocking::blocking, download::existing, names};
use crate::{
    manifest::{Manifest, ManifestEntry},
    plan::PlanSummary,
};

/// Something in the directory that is not a member of the version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Removal {
    /// Its path below the directory.
    pub path: String,
    /// Whether it is a directory that is empty once the other removals are done.
    pub is_directory: bool,
}

/// A checkout that was planned: what it removes is known, nothing is done yet. Made by [`Download::checkout`].
#[derive(Debug)]
#[must_use]
pub struct Checkout {
    download: Download,
    removals: Vec<Removal>,
    /// Those of the removals, by their place, that stand where something of the version must be, or below such a directory.
    in_the_way: BTreeSet<usize>,
}

impl Download {
    /// Plans to make the directory hold the version's files and nothing else (official: `checkout`). Shows what would be
    /// removed; [`Checkout::run`] does it. Writes nothing.
    ///
    /// # Errors
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) and [`Conflict`](wandb_core::ErrorKind::Conflict) for names as
    /// [`Download::run`]; [`Io`](wandb_core::ErrorKind::Io) when it cannot
    /// be listed; [`Conflict`](wandb_core::ErrorKind::Conflict) when something is there whose name is not Unicode, so that it
    /// could not be named to be removed.
    pub async fn checkout(self) -> Result<Checkout> {
        let (manifest, root) = self.manifest_and_root();
        let options = self.options.clone();
        let (removals, in_the_way) = blocking(move || {
            names::admit(&manifest, &options)?;
            match existing(&root)? {
                None => Ok((Vec::new(), BTreeSet::new())),
                Some(directory) => survey(&manifest, &directory),
            }
        })
        .await?;
        Ok(Checkout {
            download: self,
            removals,
            in_the_way,
        })
    }
}

/// Everything that is no member, in order, and which of it stands in the way.
fn survey(manifest: &Manifest, directory: &Directory) -> Result<(Vec<Removal>, BTreeSet<usize>)> {
    let folders = folders_of(manifest);
    let mut removals = Vec::new();
    let mut listed: HashSet<&str> = HashSet::new();
    let mut failed = None;
    directory.walk(&mut |walked| match walked {
        Walked::Entry {
            path,
            is_exact: false,
            ..
        } => {
            let message = format!("the name of {:?} is not Unicode", directory.path().join(path));
            failed.get_or_insert_with(|| {
                Error::new(ErrorKind::Conflict, message).with_hint("remove it, or choose another directory")
            });
            false
        }
        Walked::Entry { path, kind, .. } => {
            let is_directory = kind == EntryKind::Directory;
            let is_member = if is_directory {
                folders.contains(path)
            } else {
                let member = manifest.get(path);
                listed.extend(member.map(ManifestEntry::path));
                member.is_some()
            };
            if !is_member {
                removals.push(Removal {
                    path: path.to_owned(),
                    is_directory,
                });
            }
            true
        }
        Walked::Unreadable { path, error } => {
            let what = format!("list {:?}", directory.path().join(path));
            failed.get_or_insert_with(|| Error::io(what, error));
            false
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    keep_folded(&mut removals, manifest, &listed, &|member| {
        let place = safe_relative_path(member).ok();
        place.is_some_and(|place| matches!(directory.look_at(&place), Ok(Found::File(_))))
    });
    removals.sort();
    let mut roots: BTreeSet<&str> = BTreeSet::new();
    let mut in_the_way = BTreeSet::new();
    // A directory comes before what is below it.
    for (place, removal) in removals.iter().enumerate() {
        let path = removal.path.as_str();
        let stands = if removal.is_directory {
            manifest.get(path).is_some()
        } else {
            folders.contains(path)
        };
        if stands {
            roots.insert(path);
        }
        if is_at_or_below(path, |path| roots.contains(path)) {
            in_the_way.insert(place);
        }
    }
    Ok((removals, in_the_way))
}

/// Leaves files out that are members in another spelling: a disk that folds names lists `a.txt` and finds it as `A.txt`, too,
/// and the download leaves it where it is. `listed` are the members that the disk lists in their own spelling.
fn keep_folded(
    removals: &mut Vec<Removal>,
    manifest: &Manifest,
    listed: &HashSet<&str>,
    is_there: &dyn Fn(&str) -> bool,
) {
    if removals.iter().all(|removal| removal.is_directory) {
        return;
    }
    let members: HashMap<String, &str> = manifest
        .entries()
        .iter()
        .map(|entry| (clash_key(entry.path()), entry.path()))
        .collect();
    removals.retain(|removal| {
        let member = members.get(&clash_key(&removal.path)).copied();
        let is_folded = member.is_some_and(|member| !listed.contains(member) && is_there(member));
        removal.is_directory || !is_folded
    });
}

/// The folders that the members are in.
fn folders_of(manifest: &Manifest) -> BTreeSet<&str> {
    let mut folders = BTreeSet::new();
    for entry in manifest.entries() {
        let mut rest = entry.path();
        while let Some((folder, _)) = rest.rsplit_once('/') {
            if !folders.insert(folder) {
                break;
            }
            rest = folder;
        }
    }
    folders
}

/// Whether a path, or a folder that it is in, is one of some.
pub(super) fn is_at_or_below(path: &str, is_one: impl Fn(&str) -> bool) -> bool {
    let mut rest = Some(path);
    while let Some(path) = rest {
        if is_one(path) {
            return true;
        }
        rest = path.rsplit_once('/').map(|(folder, _)| folder);
    }
    false
}

/// Removes things and then the directories, from the deepest up, so that each is empty when its turn comes. Gives the
/// directories that are not empty.
fn remove<'a>(directory: &Directory, removals: &[&'a Removal]) -> Result<Vec<&'a str>> {
    for removal in removals.iter().filter(|removal| !removal.is_directory) {
        directory.remove_walked(&removal.path)?;
    }
    let folders = removals.iter().rev().filter(|removal| removal.is_directory);
    Ok(folders
        .filter(|removal| !directory.remove_walked_if_empty(&removal.path))
        .map(|removal| removal.path.as_str())
        .collect())
}

impl Checkout {
    /// What will be removed, in order. Symbolic links are removed, not followed.
    #[must_use]
    pub fn removals(&self) -> &[Removal] {
        &self.removals
    }

    /// What the download of [`run`](Self::run) would do, once what stands in the way is gone. Sends and writes nothing.
    ///
    /// # Errors
    /// As [`Download::plan`].
    pub async fn plan(&self) -> Result<PlanSummary> {
        let cleared = self
            .in_the_way
            .iter()
            .map(|&place| self.removals[place].path.clone());
        self.download.clone().with_cleared(cleared.collect()).plan().await
    }

    /// Removes what stands where something of the version must be, downloads what is missing, then removes the rest. Nothing
    /// is removed but what [`removals`](Self::removals) shows.
    ///
    /// # Errors
    /// As [`Download::run`]; of what must go, only that is gone then which stood in the way. [`Conflict`](ErrorKind::Conflict)
    /// when a directory that stands in the way got something new in it since the checkout was planned.
    pub async fn run(self) -> Result<(DownloadedArtifact, Vec<Removal>)> {
        let (_, root) = self.download.manifest_and_root();
        let removals = Arc::new(self.removals);
        if !self.in_the_way.is_empty() {
            self.download.check_names().await?;
            let (root, removals, in_the_way) = (root.clone(), Arc::clone(&removals), self.in_the_way.clone());
            blocking(move || {
                let doomed: Vec<&Removal> = in_the_way.iter().map(|&place| &removals[place]).collect();
                clear(&root, &doomed)
            })
            .await?;
        }
        let downloaded = self.download.run().await?;
        let rest = {
            let removals = Arc::clone(&removals);
            blocking(move || {
                let directory = Directory::create(&root)?;
                let rest = removals.iter().enumerate();
                let rest: Vec<&Removal> = rest
                    .filter(|(place, _)| !self.in_the_way.contains(place))
                    .map(|(_, removal)| removal)
                    .collect();
                remove(&directory, &rest).map(|_| ())
            })
        };
        rest.await?;
        Ok((downloaded, Arc::unwrap_or_clone(removals)))
    }
}

fn clear(root: &Path, removals: &[&Removal]) -> Result<()> {
    let Some(directory) = existing(root)? else {
        return Ok(());
    };
    match remove(&directory, removals)?.first() {
        None => Ok(()),
        Some(folder) => Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the directory {:?} stands where a file must be, and could not be removed",
                root.join(folder)
            ),
        )
        .with_hint("something new may be in it: plan the checkout again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No disk here folds names, so what it would answer is given.
    #[test]
    fn a_member_in_another_spelling_stays_where_the_disk_folds_names() {
        let text = r#"{"version":1,"storagePolicy":"wandb-storage-policy-v1","storagePolicyConfig":{},"contents":{
            "A.txt":{"digest":"1B2M2Y8AsgTpgAmY7PhCfg==","size":0},"sub/b":{"digest":"1B2M2Y8AsgTpgAmY7PhCfg==","size":0}}}"#;
        let manifest = Manifest::read(text.as_bytes(), &Default::default()).unwrap();
        let removal = |path: &str, is_directory| Removal {
            path: path.to_owned(),
            is_directory,
        };
        let all = || {
            vec![
                removal("Sub", true),
                removal("Sub/B", false),
                removal("a.txt", false),
                removal("x", false),
            ]
        };
        let left = |listed: &[&'static str], is_there: &dyn Fn(&str) -> bool| {
            let mut removals = all();
            keep_folded(
                &mut removals,
                &manifest,
                &listed.iter().copied().collect(),
                is_there,
            );
            removals
                .into_iter()
                .map(|removal| removal.path)
                .collect::<Vec<_>>()
        };
        // It folds: each is the member itself.
        assert_eq!(left(&[], &|_| true), ["Sub", "x"]);
        // It does not: the members are missing, or files of their own.
        assert_eq!(left(&[], &|_| false), ["Sub", "Sub/B", "a.txt", "x"]);
        assert_eq!(
            left(&["A.txt", "sub/b"], &|_| true),
            ["Sub", "Sub/B", "a.txt", "x"]
        );
    }
}
