//! Our own records beside the index: what was read, verified and sent, so that it is not read, verified and sent again.
//!
//! Losing one costs time, never safety, so old ones may go.

use std::{io::Read as _, path::PathBuf, time::Duration};

use serde::Serialize;
use wandb_core::path::safe_relative_path;
use wandb_storage::Directory;

use super::GcPolicy;

/// How much of a record of a folder is read to find which folder it is of, in bytes.
const HEAD: u64 = 16 << 10;

/// What a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordKind {
    /// A manifest, by the artifact's digest.
    Manifest,
    /// What the server said of a version, by its exact name.
    Version,
    /// Which files of one folder were verified.
    VerifiedFolder,
    /// Which parts of a large file are with the server.
    Upload,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Manifest, Self::Version, Self::VerifiedFolder, Self::Upload];

    /// The folder of its kind, in [`Cache::records`](super::Cache::records).
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Manifest => "manifests",
            Self::Version => "versions",
            Self::VerifiedFolder => "verified",
            Self::Upload => "uploads",
        }
    }

    /// The kind of a record in `artifacts/wb`; `None` for the index, for locks, and for what is unknown.
    pub(super) fn of(path: &str) -> Option<Self> {
        let (folder, _) = path.split_once('/')?;
        Self::ALL.into_iter().find(|kind| kind.folder() == folder)
    }
}

/// One of our own records.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct RecordFile {
    /// Its path below `artifacts`.
    pub path: String,
    /// What it is of.
    pub kind: RecordKind,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written to or, as far as the file system keeps count, read, in seconds since 1970. Those of folders are
    /// written anew once a month while they are used, and reading them is none.
    pub last_use: u64,
    /// Whether the folder that it is of is gone.
    pub is_orphan: bool,
}

impl RecordFile {
    /// Whether a collection takes it.
    pub(super) fn is_due(&self, policy: &GcPolicy, now: u64) -> bool {
        let is_older = |age: Duration| self.last_use.saturating_add(age.as_secs()) <= now;
        match self.kind {
            RecordKind::Manifest | RecordKind::Version => is_older(policy.record_age),
            RecordKind::VerifiedFolder => self.is_orphan || is_older(policy.record_age),
            RecordKind::Upload => is_older(policy.upload_age),
        }
    }
}

/// How a folder is written in its record: in one line.
#[cfg(any(feature = "transfer", test))]
pub(crate) fn folder_line(folder: &std::path::Path) -> String {
    format!("{folder:?}")
}

/// The folder of [`folder_line`]; `None` where it has characters that are not shown as they are.
fn folder_of_line(line: &str) -> Option<PathBuf> {
    let text = line.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => characters
                .next()
                .filter(|next| matches!(next, '\\' | '"' | '\''))?,
            plain => plain,
        });
    }
    Some(plain.into())
}

/// Whether the record is of a folder that is not there. What cannot be told is not so.
pub(super) fn is_orphan(records: &Directory, path: &str) -> bool {
    let read = || {
        let file = records.open(&safe_relative_path(path).ok()?).ok()??;
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head).ok()?;
        let line = head.split(|&byte| byte == b'\n').nth(1)?;
        folder_of_line(std::str::from_utf8(line).ok()?)
    };
    read().is_some_and(|folder| matches!(folder.try_exists(), Ok(false)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_go_by_their_age_and_folders_records_with_their_folders() {
        let policy = GcPolicy::up_to(0);
        let day = 24 * 60 * 60;
        let is_due = |kind, days: u64, is_orphan| {
            RecordFile {
                path: String::new(),
                kind,
                size: 0,
                last_use: (1_000 - days) * day,
                is_orphan,
            }
            .is_due(&policy, 1_000 * day)
        };
        for kind in [
            RecordKind::Manifest,
            RecordKind::Version,
            RecordKind::VerifiedFolder,
        ] {
            assert!(!is_due(kind, 89, false) && is_due(kind, 90, false), "{kind:?}");
        }
        assert!(is_due(RecordKind::VerifiedFolder, 0, true));
        assert!(!is_due(RecordKind::Upload, 6, false) && is_due(RecordKind::Upload, 7, false));
    }

    proptest! {
        #[test]
        fn folders_are_read_back_or_not_at_all(folder in "\\PC*", line in ".*") {
            let folder = PathBuf::from(folder);
            let read = folder_of_line(&folder_line(&folder));
            prop_assert!(read.is_none_or(|read| read == folder));
            let _ = folder_of_line(&line);
        }

        #[test]
        fn ordinary_folders_are_read_back(folder in "[a-zA-Z0-9 /._'\"\\\\-]*") {
            let folder = PathBuf::from(folder);
            prop_assert_eq!(folder_of_line(&folder_line(&folder)), Some(folder));
        }
    }
}
