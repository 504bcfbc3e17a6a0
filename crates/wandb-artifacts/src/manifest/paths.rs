//! Whether the paths of a manifest may become files.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
};

use serde::Serialize;
use wandb_core::{
    Error, ErrorKind,
    path::{RelativePath, UnsafeName, UnsafeNameReason, clash_key, safe_relative_path},
};

use super::{Manifest, ManifestEntry};

/// How many faults are described; the others are counted.
const DESCRIBED: usize = 1_000;

/// What keeps a path of a manifest from becoming a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathFault {
    /// It would leave the target directory, or some system would read it as another file.
    Unsafe {
        /// The path, cut to a readable length.
        path: String,
        /// Why.
        #[serde(serialize_with = "as_text")]
        reason: UnsafeNameReason,
    },
    /// Another path differs from it only in case or in how its characters are composed: on some systems, one file.
    Clash {
        /// The path.
        path: String,
        /// The other one.
        other: String,
    },
    /// It is a file, and a directory of another path.
    FileAndDirectory {
        /// The file.
        path: String,
        /// A path below it.
        below: String,
    },
}

/// All faults of a manifest's paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathFaults {
    /// The first thousand.
    pub faults: Vec<PathFault>,
    /// How many there are in all.
    pub count: usize,
}

impl ManifestEntry {
    /// The path as one that stays under whatever directory it is joined to.
    ///
    /// # Errors
    /// When it does not.
    pub fn relative_path(&self) -> Result<RelativePath, UnsafeName> {
        safe_relative_path(self.path())
    }
}

impl Manifest {
    /// Checks that every path may become a file, on every system, beside all others.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check_paths(&self) -> Result<(), PathFaults> {
        let mut check = Check {
            manifest: self,
            hashers: [RandomState::new(), RandomState::new()],
            known: HashMap::new(),
            faults: PathFaults {
                faults: Vec::new(),
                count: 0,
            },
        };
        let mut previous = "";
        for (place, entry) in self.iter().enumerate() {
            if let Err(error) = entry.relative_path() {
                check.faults.add(PathFault::Unsafe {
                    path: error.name().to_owned(),
                    reason: error.reason(),
                });
                continue;
            }
            check.entry(place, previous);
            previous = entry.path();
        }
        if check.faults.count == 0 {
            Ok(())
        } else {
            Err(check.faults)
        }
    }
}

/// A file or a directory that some path needs: the beginning of the path of one entry.
#[derive(Clone, Copy)]
struct Need {
    place: usize,
    is_file: bool,
}

/// Takes time and memory in proportion to the paths, whatever they are: a path of very many segments has as many beginnings,
/// and neither are they cut out nor compared.
struct Check<'a> {
    manifest: &'a Manifest,
    hashers: [RandomState; 2],
    /// By the hash of the key that clashing names share. Two hashes with keys drawn at random make 128 bits, so that different
    /// names never meet, not even by intent.
    known: HashMap<[u64; 2], Need>,
    faults: PathFaults,
}

impl<'a> Check<'a> {
    fn entry(&mut self, place: usize, previous: &str) {
        let path = self.path(place);
        // Directories that the previous path needs too were looked at with it; paths come sorted.
        let common = path
            .bytes()
            .zip(previous.bytes())
            .take_while(|(left, right)| left == right)
            .count();
        let key = key(path);
        let mut states = self.hashers.each_ref().map(BuildHasher::build_hasher);
        let mut hashed = 0;
        // No folding makes or takes a slash, so the segments of the key are those of the path.
        for ((end, _), (key_end, _)) in path.match_indices('/').zip(key.match_indices('/')) {
            for state in &mut states {
                state.write(&key.as_bytes()[hashed..key_end]);
            }
            hashed = key_end;
            if end >= common {
                let hash = states.each_ref().map(Hasher::finish);
                self.need(
                    hash,
                    Need {
                        place,
                        is_file: false,
                    },
                );
            }
        }
        for state in &mut states {
            state.write(&key.as_bytes()[hashed..]);
        }
        let hash = states.each_ref().map(Hasher::finish);
        self.need(hash, Need { place, is_file: true });
    }

    fn path(&self, place: usize) -> &'a str {
        self.manifest.entries()[place].path()
    }

    fn need(&mut self, hash: [u64; 2], need: Need) {
        let known = match self.known.entry(hash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                vacant.insert(need);
                return;
            }
        };
        let (path, other) = (self.path(need.place), self.path(known.place));
        let fault = match (need.is_file, known.is_file) {
            // Two directories become one, and nothing is lost.
            (false, false) => return,
            (true, true) => PathFault::Clash {
                path: path.to_owned(),
                other: other.to_owned(),
            },
            (true, false) => PathFault::FileAndDirectory {
                path: path.to_owned(),
                below: other.to_owned(),
            },
            (false, true) => PathFault::FileAndDirectory {
                path: other.to_owned(),
                below: path.to_owned(),
            },
        };
        self.faults.add(fault);
    }
}

/// [`clash_key`], quicker where it only changes case.
fn key(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        clash_key(text)
    }
}

impl PathFaults {
    pub(crate) fn add(&mut self, fault: PathFault) {
        self.count += 1;
        if self.faults.len() < DESCRIBED {
            self.faults.push(fault);
        }
    }

    /// Only the paths that would leave the target directory or be read as another file; `None` when there is none.
    #[must_use]
    pub fn only_unsafe(mut self) -> Option<Self> {
        let before = self.faults.len();
        self.faults
            .retain(|fault| matches!(fault, PathFault::Unsafe { .. }));
        self.count -= before - self.faults.len();
        if self.faults.is_empty() { None } else { Some(self) }
    }
}

impl fmt::Display for PathFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsafe { path, reason } => write!(formatter, "unsafe path {path:?}: {reason}"),
            Self::Clash { path, other } => {
                write!(formatter, "{path:?} and {other:?} are one file on some systems")
            }
            Self::FileAndDirectory { path, below } => {
                write!(formatter, "{path:?} is a file and, for {below:?}, a directory")
            }
        }
    }
}

impl fmt::Display for PathFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        formatter.write_str("the manifest has paths that cannot become files: ")?;
        for (place, fault) in self.faults.iter().take(SHOWN).enumerate() {
            let separator = if place > 0 { "; " } else { "" };
            write!(formatter, "{separator}{fault}")?;
        }
        if self.count > SHOWN {
            write!(formatter, "; and {} more", self.count - SHOWN)?;
        }
        Ok(())
    }
}

impl std::error::Error for PathFaults {}

impl From<PathFaults> for Error {
    fn from(faults: PathFaults) -> Self {
        Self::new(ErrorKind::Protocol, faults.to_string())
            .with_hint("nothing was written; fetch single entries to memory or under names of your own")
    }
}

fn as_text<S: serde::Serializer>(text: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Algorithm;

    fn manifest(paths: &[&str]) -> Manifest {
        let digest = Algorithm::Md5.hash(b"");
        let entries = paths
            .iter()
            .map(|path| ManifestEntry::file(*path, digest, 0))
            .collect();
        Manifest::new().with_entries(entries).unwrap()
    }

    fn faults(paths: &[&str]) -> Vec<String> {
        match manifest(paths).check_paths() {
            Ok(()) => Vec::new(),
            Err(faults) => faults.faults.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn usual_paths_are_fine() {
        let paths = [
            "a",
            "a-b",
            "a.b/c",
            "a.b/d",
            "b/c/d/e",
            "b/c/f",
            "b/g",
            "ü/é",
            "日本.txt",
        ];
        assert_eq!(faults(&paths), Vec::<String>::new());
        assert_eq!(faults(&[]), Vec::<String>::new());
        // Directories that differ in case hold different files.
        assert_eq!(faults(&["A/x", "a/y"]), Vec::<String>::new());
    }

    #[test]
    fn every_hostile_path_is_told_at_once() {
        let long = "x".repeat(256);
        let hostile = [
            "../x",
            "/etc/passwd",
            "C:/x",
            "a/../b",
            "a\\b",
            "a\0b",
            "aux",
            "con.txt",
            "a//b",
            "a/",
            "",
            "./a",
            "a ",
            "a.",
            &long,
        ];
        let found = faults(&hostile);
        assert_eq!(found.len(), hostile.len(), "{found:#?}");
        assert!(found.iter().all(|fault| fault.starts_with("unsafe")));
    }

    #[test]
    fn clashes_are_told_with_both_paths() {
        assert_eq!(
            faults(&["A/b", "a/B", "c"]),
            ["\"a/B\" and \"A/b\" are one file on some systems"]
        );
        assert_eq!(
            faults(&["e\u{301}", "\u{e9}"]),
            ["\"é\" and \"e\\u{301}\" are one file on some systems"]
        );
        assert_eq!(
            faults(&["a", "a-", "a/b/c"]),
            ["\"a\" is a file and, for \"a/b/c\", a directory"]
        );
        assert_eq!(
            faults(&["A/x", "a"]),
            ["\"a\" is a file and, for \"A/x\", a directory"]
        );
        assert_eq!(faults(&["Straße", "STRASSE", "x"]).len(), 1);
    }

    #[test]
    fn very_many_faults_are_counted_and_few_described() {
        let paths: Vec<_> = (0..3_000).map(|number| format!("../{number}")).collect();
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        let faults = manifest(&paths).check_paths().unwrap_err();
        assert_eq!((faults.count, faults.faults.len()), (3_000, DESCRIBED));
        assert!(faults.to_string().ends_with("and 2990 more"));
        assert!(faults.to_string().len() < 2_000);
        assert_eq!(faults.clone().only_unsafe(), Some(faults));
        let clash = manifest(&["A", "a"]).check_paths().unwrap_err();
        assert_eq!(clash.only_unsafe(), None);
    }

    #[test]
    fn very_deep_paths_take_no_longer_than_flat_ones() {
        // With every beginning of every path cut out and compared, this would be hundreds of millions of bytes.
        let deep: Vec<_> = (0..60)
            .flat_map(|number| {
                let path = format!("{number}{}", "/a".repeat(1_500));
                [path.replace('a', "A") + "/x", path + "/y"]
            })
            .collect();
        let deep: Vec<_> = deep.iter().map(String::as_str).collect();
        assert_eq!(faults(&deep), Vec::<String>::new());
    }

    proptest! {
        /// A plain, slow check of the same rules finds a fault exactly when this one does.
        #[test]
        fn faults_are_those_of_a_plain_check(
            paths in prop::collection::btree_set("[aAbé]{1,2}(/[aAb]{1,2}){0,2}", 0..7),
        ) {
            let paths: Vec<_> = paths.iter().map(String::as_str).collect();
            let clash = paths.iter().enumerate().any(|(place, path)| {
                paths.iter().enumerate().any(|(other, below)| {
                    let (path, below) = (clash_key(path), clash_key(below));
                    place != other && (path == below || below.starts_with(&format!("{path}/")))
                })
            });
            prop_assert_eq!(manifest(&paths).check_paths().is_err(), clash);
        }
    }
}
