//! The check of a whole directory.

use std::{cmp::Reverse, path::Path};

use wandb_core::path::RelativePath;
use wandb_storage::{Directory, EntryKind, Walked};

use crate::{
    filenames::PathReport,
    manifest::{Manifest, ManifestEntry},
    parallel,
};

use super::{
    Changed, Extra, Unreadable, Verification, VerifyError, VerifyOptions, WrongSize, WrongType,
    check::{BUFFER, Outcome, check_file},
};

/// Checks the files below a directory against a manifest.
///
/// Every file of the manifest must be there as an ordinary file of the right size and digest, and nothing else may be there
/// unless [`allow_extra`](VerifyOptions::allow_extra) says so; directories that hold nothing are ignored. References are told
/// as unverified. A file whose name could not be one is a fault of its own, and the others are checked all the same.
///
/// # Errors
/// When the directory cannot be opened, or the observer cancelled. What is wrong with the files and their names is no error but
/// the result.
pub fn verify(
    directory: impl AsRef<Path>,
    manifest: &Manifest,
    options: &VerifyOptions<'_>,
) -> Result<Verification, VerifyError> {
    verify_directory(&Directory::existing(directory)?, manifest, options)
}

/// Checks an open directory, see [`verify`].
///
/// # Errors
/// As [`verify`].
pub fn verify_directory(
    directory: &Directory,
    manifest: &Manifest,
    options: &VerifyOptions<'_>,
) -> Result<Verification, VerifyError> {
    let entries = manifest.with_prefix(options.prefix);
    let mut report = Verification::default();
    let found = list(directory, entries, options, &mut report);
    let mut jobs = Vec::new();
    for (entry, kind) in entries.iter().zip(found) {
        if entry.is_reference() {
            report.unverified_references.push(entry.path().to_owned());
            continue;
        }
        // No file can be there: the name is among the faults.
        let Ok(name) = entry.relative_path() else {
            continue;
        };
        match kind {
            None => report.missing.push(entry.path().to_owned()),
            Some(EntryKind::File) => jobs.push(Job { entry, name }),
            Some(found) => report.wrong_type.push(WrongType {
                path: entry.path().to_owned(),
                found,
            }),
        }
    }
    report.names = PathReport::of_all(entries.iter().map(ManifestEntry::path))
        .admit(options.names)
        .map_or_else(|faults| faults.faults, |()| Vec::new());
    // The largest first, so that no thread begins a long file when the others are done.
    jobs.sort_by_key(|job| Reverse(job.entry.size()));
    if let Some(observer) = options.observer {
        let sizes = jobs.iter().filter_map(|job| job.entry.size());
        // A manifest can say any sizes.
        let bytes = sizes.fold(0, u64::saturating_add);
        observer.begin(jobs.len(), bytes);
    }
    let outcomes = read_all(directory, &jobs, options).ok_or(VerifyError::Cancelled)?;
    for (place, outcome) in outcomes {
        report.add(jobs[place].entry, outcome);
    }
    report.sort();
    Ok(report)
}

struct Job<'a> {
    entry: &'a ManifestEntry,
    name: RelativePath,
}

/// Lists the directory once. Gives what is under the path of each entry, and notes what is extra.
fn list(
    directory: &Directory,
    entries: &[ManifestEntry],
    options: &VerifyOptions<'_>,
    report: &mut Verification,
) -> Vec<Option<EntryKind>> {
    let mut found = vec![None; entries.len()];
    directory.walk(&mut |walked| {
        let (path, kind, is_exact) = match walked {
            Walked::Entry { path, kind, is_exact } => (path, kind, is_exact),
            Walked::Unreadable { path, error } => {
                report.unreadable.push(Unreadable {
                    path: path.to_owned(),
                    reason: error.to_string(),
                });
                return false;
            }
        };
        if is_exact && let Ok(place) = entries.binary_search_by(|entry| entry.path().cmp(path)) {
            found[place] = Some(kind);
            // What is below a directory that should be a file is extra.
            return !options.allow_extra;
        }
        if kind == EntryKind::Directory {
            return if options.allow_extra {
                is_exact && has_members(entries, path)
            } else {
                options.prefix.starts_with(path) || path.starts_with(options.prefix)
            };
        }
        if !options.allow_extra && path.starts_with(options.prefix) {
            report.extra.push(Extra {
                path: path.to_owned(),
                kind,
            });
        }
        false
    });
    found
}

/// Whether some entry lies below a directory.
fn has_members(entries: &[ManifestEntry], directory: &str) -> bool {
    // Compared without making a text: a path is below when it goes on with a slash.
    let below = |path: &str| {
        path.as_bytes()
            .iter()
            .copied()
            .cmp(directory.bytes().chain([b'/']))
            .is_lt()
    };
    let place = entries.partition_point(|entry| below(entry.path()));
    entries.get(place).is_some_and(|entry| {
        entry
            .path()
            .strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Reads the files of all jobs. `None` when the observer cancelled.
fn read_all(
    directory: &Directory,
    jobs: &[Job<'_>],
    options: &VerifyOptions<'_>,
) -> Option<Vec<(usize, Outcome)>> {
    let outcomes = parallel::map(
        jobs.len(),
        options.threads.unwrap_or_else(parallel::processors),
        || vec![0; BUFFER],
        |buffer, place| {
            let job = &jobs[place];
            let digest = job
                .entry
                .content_digest()
                .expect("an entry that is no reference has a digest of its bytes");
            let (name, size) = (&job.name, job.entry.size());
            check_file(directory, name, size, digest, buffer, options.observer)
        },
    );
    // Only cancelling leaves a file out.
    (outcomes.len() == jobs.len()).then_some(outcomes)
}

impl Verification {
    fn add(&mut self, entry: &ManifestEntry, outcome: Outcome) {
        let path = || entry.path().to_owned();
        match outcome {
            Outcome::Verified { size } => {
                self.verified += 1;
                self.verified_bytes += size;
            }
            Outcome::Missing => self.missing.push(path()),
            Outcome::Changed { actual } => self.changed.push(Changed {
                path: path(),
                expected: entry.content_digest().unwrap_or(actual),
                actual,
            }),
            Outcome::WrongSize { expected, actual } => self.wrong_size.push(WrongSize {
                path: path(),
                expected,
                actual,
            }),
            Outcome::WrongType { found } => self.wrong_type.push(WrongType { path: path(), found }),
            Outcome::Unreadable { reason } => self.unreadable.push(Unreadable { path: path(), reason }),
        }
    }

    fn sort(&mut self) {
        self.missing.sort_unstable();
        self.extra
            .sort_unstable_by(|left, right| left.path.cmp(&right.path));
        self.changed
            .sort_unstable_by(|left, right| left.path.cmp(&right.path));
        self.wrong_size
            .sort_unstable_by(|left, right| left.path.cmp(&right.path));
        self.wrong_type
            .sort_unstable_by(|left, right| left.path.cmp(&right.path));
        self.names.sort_by(|left, right| left.path().cmp(right.path()));
        self.unreadable
            .sort_unstable_by(|left, right| left.path.cmp(&right.path));
    }
}
