//! Everything that is wrong with a set of paths.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
};

use wandb_core::{
    Error, ErrorKind, Result,
    path::{NameFault, NamePolicy, clash_key, safe_relative_path},
};
use wandb_storage::NameProbe;

use super::{PathFault, PathFaults, faults::DESCRIBED};

/// Everything that is wrong with a set of paths that are to become files below one directory, told apart by what can be done
/// about it.
#[derive(Debug, Default)]
pub struct PathReport<'a> {
    hostile: PathFaults,
    unportable: PathFaults,
    /// Those of the unportable ones that [`NamePolicy::Portable`] refuses.
    lost: PathFaults,
    /// Those of the unportable ones that this system cannot hold; none but on Windows.
    impossible: PathFaults,
    /// One for each path that is in the way of the first of its kind.
    clashes: Vec<Clash<'a>>,
    /// All paths that may be in each other's way, directories too: which of them are, depends on what the disk folds. Some may be
    /// there twice.
    suspects: Vec<&'a str>,
}

/// A file, and what would be at its place where names are folded: another file, or a directory of another one.
#[derive(Debug, Clone, Copy)]
struct Clash<'a> {
    file: &'a str,
    other: &'a str,
    /// Whether the other is in the way itself, and not a directory that it needs.
    is_file: bool,
}

impl Clash<'_> {
    fn fault(&self) -> PathFault {
        let (path, other) = (self.file.to_owned(), self.other.to_owned());
        if self.is_file {
            PathFault::Clash { path, other }
        } else {
            PathFault::DirectoryClash { path, below: other }
        }
    }
}

impl<'a> PathReport<'a> {
    /// Looks at paths, in whatever order; one that is there twice counts once.
    ///
    /// Takes time and memory in proportion to the paths, whatever they are.
    #[must_use]
    pub fn of(paths: impl IntoIterator<Item = &'a str>) -> Self {
        Self::describing(DESCRIBED, paths)
    }

    /// The same with every fault described, for whoever lists them all anyway.
    pub(crate) fn of_all(paths: impl IntoIterator<Item = &'a str>) -> Self {
        Self::describing(usize::MAX, paths)
    }

    fn describing(most: usize, paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut paths: Vec<&str> = paths.into_iter().collect();
        if !paths.is_sorted() {
            paths.sort_unstable();
        }
        paths.dedup();
        let mut report = Self::default();
        let mut check = Check::default();
        // Files that the present path begins with, as texts. Paths that begin with one come together.
        let mut above: Vec<&str> = Vec::new();
        let mut previous = "";
        for path in paths {
            while above.last().is_some_and(|file| !path.starts_with(file)) {
                above.pop();
            }
            match NameFault::of(path) {
                Some(NameFault::Hostile(reason)) => {
                    report.hostile.add(most, || PathFault::Hostile {
                        path: path.chars().take(300).collect(),
                        reason,
                    });
                    continue;
                }
                Some(name @ NameFault::Unportable(reason)) => {
                    let fault = || PathFault::Unportable {
                        path: path.to_owned(),
                        reason,
                    };
                    report.unportable.add(most, fault);
                    if NamePolicy::Portable.refuses(name) {
                        report.lost.add(most, fault);
                    }
                    if NamePolicy::System.refuses(name) {
                        report.impossible.add(most, fault);
                    }
                }
                None => {}
            }
            for file in &above {
                if path[file.len()..].starts_with('/') {
                    report.hostile.add(most, || PathFault::FileAndDirectory {
                        path: (*file).to_owned(),
                        below: path.to_owned(),
                    });
                }
            }
            above.push(path);
            check.path(path, previous, &mut report);
            previous = path;
        }
        for clash in &report.clashes {
            report.unportable.add(most, || clash.fault());
            report.lost.add(most, || clash.fault());
        }
        report
    }

    /// What is refused whatever the policy.
    #[must_use]
    pub fn hostile(&self) -> &PathFaults {
        &self.hostile
    }

    /// What some systems cannot hold, or not beside each other.
    #[must_use]
    pub fn unportable(&self) -> &PathFaults {
        &self.unportable
    }

    /// Whether the policy takes all paths, as far as that can be told without the disk.
    ///
    /// # Errors
    /// All faults that it does not take, at once.
    pub fn admit(&self, policy: NamePolicy) -> std::result::Result<(), PathFaults> {
        let others = match policy {
            NamePolicy::Portable => &self.lost,
            NamePolicy::System => &self.impossible,
        };
        if self.hostile.is_empty() && others.is_empty() {
            return Ok(());
        }
        Err(self.hostile.clone().and(others.clone()))
    }

    /// Tries, near a directory, whether its file system takes paths for one that are two here. Writes only where there are such
    /// paths, into a directory that goes again, and neither makes nor touches the directory itself.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) for the first ones that are; [`Io`](ErrorKind::Io) when it cannot be tried.
    pub fn check_disk(&self, directory: &Path) -> Result<()> {
        if self.clashes.is_empty() {
            return Ok(());
        }
        let mut suspects = self.suspects.clone();
        suspects.sort_unstable();
        suspects.dedup();
        let mut probe = NameProbe::near(directory)?;
        for path in &suspects {
            if !probe.has_room(&safe_relative_path(path)?)? {
                return Err(in_the_way(path, &suspects, directory));
            }
        }
        Ok(())
    }
}

/// The error of a path that the disk has no room for, because of one that came before it.
fn in_the_way(path: &str, suspects: &[&str], directory: &Path) -> Error {
    let folded = key(path);
    let is_other = |other: &&&str| {
        let place = key(other);
        let (longer, shorter) = if place.len() > folded.len() {
            (&place, &folded)
        } else {
            (&folded, &place)
        };
        let rest = longer.strip_prefix(shorter.as_str());
        **other != path && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // The nearest before it, which the disk has already.
    let other = suspects
        .iter()
        .take_while(|other| **other != path)
        .filter(is_other)
        .last()
        .map_or("another file", |other| *other);
    Error::new(
        ErrorKind::Conflict,
        format!("{path:?} and {other:?} would be in each other's way in {directory:?}: its disk takes them for one"),
    )
    .with_hint("nothing was written; fetch them one by one, each into a directory of its own")
}

/// A file or a directory that some path needs: the beginning of the path.
#[derive(Debug, Clone, Copy)]
struct Need<'a> {
    path: &'a str,
    /// Where the beginning ends.
    end: usize,
}

impl<'a> Need<'a> {
    fn is_file(&self) -> bool {
        self.end == self.path.len()
    }

    fn place(&self) -> &'a str {
        &self.path[..self.end]
    }
}

/// A path of very many segments has as many beginnings, and neither are they cut out nor compared.
#[derive(Default)]
struct Check<'a> {
    hashers: [RandomState; 2],
    /// By the hash of the key that clashing names share. Two hashes with keys drawn at random make 128 bits, so that different
    /// names never meet, not even by intent.
    known: HashMap<[u64; 2], Need<'a>>,
}

impl<'a> Check<'a> {
    fn path(&mut self, path: &'a str, previous: &str, report: &mut PathReport<'a>) {
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
                self.need(hash, Need { path, end }, report);
            }
        }
        for state in &mut states {
            state.write(&key.as_bytes()[hashed..]);
        }
        let hash = states.each_ref().map(Hasher::finish);
        let end = path.len();
        self.need(hash, Need { path, end }, report);
    }

    fn need(&mut self, hash: [u64; 2], need: Need<'a>, report: &mut PathReport<'a>) {
        let known = match self.known.entry(hash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                vacant.insert(need);
                return;
            }
        };
        // What is exactly there is no matter of systems: a directory that is needed again, or what the report tells as hostile.
        if need.place() == known.place() {
            return;
        }
        report.suspects.extend([known.path, need.path]);
        let (file, other) = match (need.is_file(), known.is_file()) {
            // Two directories become one, and nothing is lost.
            (false, false) => return,
            (true, _) => (need, known),
            (false, true) => (known, need),
        };
        report.clashes.push(Clash {
            file: file.path,
            other: other.path,
            is_file: other.is_file(),
        });
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
