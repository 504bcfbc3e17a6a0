//! A directory with exactly the files of a version: what is not one is removed.

use std::collections::BTreeSet;

use serde::Serialize;
use wandb_core::{Result, path::safe_relative_path};
use wandb_storage::{Directory, EntryKind, Walked};

use super::{Download, Downloaded, blocking::blocking, download::existing};

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
}

impl Download {
    /// Plans to make the directory hold the version's files and nothing else (official: `checkout`). Shows what would be
    /// removed; [`Checkout::run`] does it, after everything else is there. Writes nothing.
    ///
    /// # Errors
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) for a hostile manifest; [`Io`](wandb_core::ErrorKind::Io) when it cannot be listed.
    pub async fn checkout(self) -> Result<Checkout> {
        let (manifest, root) = self.manifest_and_root();
        let removals = blocking(move || {
            manifest.check_paths()?;
            let Some(directory) = existing(&root)? else {
                return Ok(Vec::new());
            };
            let mut folders: BTreeSet<&str> = BTreeSet::new();
            for entry in manifest.entries() {
                let mut rest = entry.path();
                while let Some((folder, _)) = rest.rsplit_once('/') {
                    if !folders.insert(folder) {
                        break;
                    }
                    rest = folder;
                }
            }
            let mut removals = Vec::new();
            let mut failed = None;
            directory.walk(&mut |walked| match walked {
                Walked::Entry { path, kind, is_exact } => {
                    let is_directory = kind == EntryKind::Directory;
                    let is_member = is_exact
                        && if is_directory {
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
                    let what = format!("list {:?}", root.join(path));
                    failed.get_or_insert_with(|| wandb_core::Error::io(what, error));
                    false
                }
            });
            removals.sort();
            failed.map_or(Ok(removals), Err)
        })
        .await?;
        Ok(Checkout {
            download: self,
            removals,
        })
    }
}

impl Checkout {
    /// What will be removed, in order. Symbolic links are removed, not followed.
    #[must_use]
    pub fn removals(&self) -> &[Removal] {
        &self.removals
    }

    /// Downloads what is missing, then removes.
    ///
    /// # Errors
    /// As [`Download::run`]; nothing is removed then.
    pub async fn run(self) -> Result<(Downloaded, Vec<Removal>)> {
        let (_, root) = self.download.manifest_and_root();
        let removals = self.removals;
        let downloaded = self.download.run().await?;
        let removals = blocking(move || {
            let directory = Directory::create(&root)?;
            for removal in removals.iter().filter(|removal| !removal.is_directory) {
                directory.remove(&safe_relative_path(&removal.path)?)?;
            }
            // From the deepest up, so that each is empty when its turn comes.
            for removal in removals.iter().rev().filter(|removal| removal.is_directory) {
                directory.remove_if_empty(&safe_relative_path(&removal.path)?);
            }
            Ok(removals)
        })
        .await?;
        Ok((downloaded, removals))
    }
}
