//! What is known of the files of one folder: which were verified, and how they are known again without being read.
//!
//! Kept beside the cache, never in the folder itself. It is a hint with a proof: a file counts as verified only while size,
//! times and inode are those of the moment at which its bytes were verified.

use std::{
    collections::HashMap,
    io::Read,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{Algorithm, ContentDigest, Directory, Existing, Expected, FileStat, StorageError};

use crate::cache::folder_line;

/// The first line. A file with another is passed over.
const HEAD: &str = "wb-verified 1";

/// A file that changed as short a time as this before the record was made may have been changed again within the same tick
/// of the file system's clock, so it is read once more.
const RACE: i128 = 50_000_000;

/// The largest record that is read, in bytes: about a million files.
const LONGEST: u64 = 256 << 20;

/// A record that is used is written anew when it is older than this, in nanoseconds: those that are not go, after some months.
const REFRESH: i128 = 30 * 24 * 60 * 60 * 1_000_000_000;

/// The verified files of one folder.
#[derive(Debug, Default)]
pub(crate) struct VerifiedFacts {
    files: HashMap<String, (FileStat, ContentDigest)>,
    changed: bool,
}

impl VerifiedFacts {
    /// Reads what was recorded of a folder. Whatever is wrong with the record, files are read instead.
    pub(crate) fn load(records: &Directory, folder: &Path) -> Self {
        let mut text = String::new();
        let is_read = records
            .open(&record_name(folder))
            .ok()
            .flatten()
            .is_some_and(|file| file.take(LONGEST).read_to_string(&mut text).is_ok());
        if is_read {
            Self::parse(&text, folder).unwrap_or_default()
        } else {
            Self::default()
        }
    }

    fn parse(text: &str, folder: &Path) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (head, at) = lines.next()?.rsplit_once(' ')?;
        let at: i128 = at.parse().ok()?;
        if head != HEAD || lines.next()? != folder_line(folder) {
            return None;
        }
        let mut files = HashMap::new();
        for line in lines {
            let mut fields = line.splitn(7, ' ');
            let mut next = || fields.next();
            let stat = FileStat {
                size: next()?.parse().ok()?,
                modified: next()?.parse().ok()?,
                changed: next()?.parse().ok()?,
                inode: next()?.parse().ok()?,
            };
            let algorithm = Algorithm::from_name(next()?)?;
            let digest = ContentDigest::from_hex(algorithm, next()?).ok()?;
            let name = next()?;
            if stat.changed.max(stat.modified).saturating_add(RACE) < at {
                files.insert(name.to_owned(), (stat, digest));
            }
        }
        Some(Self {
            files,
            changed: at.saturating_add(REFRESH) < nanoseconds_since_1970(),
        })
    }

    /// The digest that was verified, if the file is the same since.
    pub(crate) fn digest(&self, name: &str, stat: &FileStat) -> Option<ContentDigest> {
        self.files
            .get(name)
            .filter(|(known, _)| known == stat)
            .map(|(_, digest)| *digest)
    }

    /// Notes a file whose bytes were verified while it was as `stat` says.
    pub(crate) fn note(&mut self, name: &str, stat: FileStat, digest: ContentDigest) {
        self.changed = true;
        self.files.insert(name.to_owned(), (stat, digest));
    }

    /// Forgets files that are not wanted.
    pub(crate) fn forget(&mut self, name: &str) {
        self.changed |= self.files.remove(name).is_some();
    }

    /// Writes the record, if there is something new in it.
    pub(crate) fn save(&self, records: &Directory, folder: &Path) -> Result<(), StorageError> {
        if !self.changed {
            return Ok(());
        }
        let now = nanoseconds_since_1970();
        let mut text = format!("{HEAD} {now}\n{}\n", folder_line(folder));
        for (name, (stat, digest)) in &self.files {
            use std::fmt::Write as _;
            let FileStat {
                size,
                modified,
                changed,
                inode,
            } = stat;
            let (algorithm, hex) = (digest.algorithm(), digest.hex());
            let _ = writeln!(
                text,
                "{size} {modified} {changed} {inode} {algorithm} {hex} {name}"
            );
        }
        let mut file = records.begin(&record_name(folder), Existing::Replace, Algorithm::Md5)?;
        file.append(text.as_bytes())?;
        file.publish(&Expected::default()).map(|_| ())
    }
}

fn nanoseconds_since_1970() -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(now.as_nanos()).unwrap_or(i128::MAX)
}

/// The record's name: made of the folder's path, because folders have no identity of their own.
fn record_name(folder: &Path) -> RelativePath {
    let key = Algorithm::Xxh128.hash(folder_line(folder).as_bytes()).hex();
    safe_relative_path(&format!("{key}.verified")).expect("hexadecimal digits are a safe name")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(changed: i128) -> FileStat {
        FileStat {
            size: 3,
            modified: 5,
            changed,
            inode: 7,
        }
    }

    #[test]
    fn a_record_is_read_back_and_proves_only_the_same_file() {
        let root = tempfile::tempdir().unwrap();
        let records = Directory::create(root.path()).unwrap();
        let folder = Path::new("/models/a b\n");
        let now = nanoseconds_since_1970();
        let digest = Algorithm::Xxh128.hash(b"abc");
        let mut facts = VerifiedFacts::default();
        facts.note("deep/a b", stat(6), digest);
        facts.note("just now", stat(now + 1_000_000_000), digest);
        facts.save(&records, folder).unwrap();
        let read = VerifiedFacts::load(&records, folder);
        assert_eq!(read.digest("deep/a b", &stat(6)), Some(digest));
        assert_eq!(read.digest("deep/a b", &stat(8)), None);
        assert!(!read.changed, "it is not written again for nothing");
        let old = format!("{HEAD} {}\n{}\n", now - 2 * REFRESH, folder_line(folder));
        assert!(VerifiedFacts::parse(&old, folder).unwrap().changed);
        assert_eq!(
            read.digest("just now", &stat(now + 1_000_000_000)),
            None,
            "too fresh to be sure"
        );
        assert!(
            VerifiedFacts::load(&records, Path::new("/other"))
                .files
                .is_empty()
        );
        for damage in [
            "",
            "x",
            "wb-verified 1 9\n",
            "wb-verified 1 9\n\"/a\"\n1 2 3\n",
            "wb-verified 2 9\n\"/a\"\n",
        ] {
            assert!(
                VerifiedFacts::parse(damage, Path::new("/a")).is_none(),
                "{damage}"
            );
        }
    }
}
