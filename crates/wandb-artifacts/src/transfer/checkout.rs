//! A directory with exactly the files of a version: what is not one is removed.
//!
//! What stands where a member or its folder must be (a directory, a file, a link) is removed before the download, everything
//! else after it. A process that is killed anywhere leaves a directory that the next checkout completes.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use serde::Serialize;
use wandb_core::{Error, ErrorKind, Result};
use wandb_storage::{Directory, EntryKind, Walked};

use super::{Download, DownloadedArtifact, blocking::blocking, download::existing, names};
use crate::{manifest::Manifest, plan::PlanSummary};

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
                manifest.get(path).is_some()
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
