//! What a download has to do, before it does anything.
//!
//! Making a plan is pure: whoever makes it says of each file where its bytes are already, and the plan says what is left to
//! come, each content once, in how many bytes and requests.

use std::{collections::HashMap, fmt};

use serde::Serialize;

use crate::{digest::ContentDigest, manifest::ManifestEntry};

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the target, under its name, verified.
    Target,
    /// In the cache, proven.
    Cache,
    /// Only with the server. What the target may have under the name is something else.
    Server,
}

/// How large requests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSizes {
    /// How many addresses one request gives. The official client asks for 5,000.
    pub addresses: usize,
    /// From this many bytes on, a file is fetched in ranges.
    pub range_from: u64,
    /// Bytes of a range.
    pub range: u64,
}

/// What a download has to do, in the order of the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadPlan<'a> {
    /// Files that are there and verified.
    pub present: Vec<&'a ManifestEntry>,
    /// Files that come out of the cache.
    pub cached: Vec<&'a ManifestEntry>,
    /// Files that are to be fetched, each content once.
    pub fetch: Vec<&'a ManifestEntry>,
    /// Files with the same content as one that is fetched, with that one.
    pub repeated: Vec<(&'a ManifestEntry, &'a ManifestEntry)>,
    /// References, which come from elsewhere.
    pub references: Vec<&'a ManifestEntry>,
}

/// A plan in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanSummary {
    /// Files that are there and verified.
    pub present_files: usize,
    /// Their bytes.
    pub present_bytes: u64,
    /// Files that come out of the cache.
    pub cached_files: usize,
    /// Their bytes.
    pub cached_bytes: u64,
    /// Files that are fetched.
    pub fetched_files: usize,
    /// Their bytes.
    pub fetched_bytes: u64,
    /// Files that are copies of fetched ones.
    pub repeated_files: usize,
    /// Their bytes.
    pub repeated_bytes: u64,
    /// References.
    pub references: usize,
    /// Requests for addresses.
    pub address_requests: usize,
    /// Requests for bytes, when nothing has to be tried again.
    pub file_requests: u64,
}

impl Default for RequestSizes {
    fn default() -> Self {
        Self {
            addresses: 5_000,
            range_from: u64::MAX,
            range: u64::MAX,
        }
    }
}

impl<'a> DownloadPlan<'a> {
    /// Sorts entries by where their bytes are; `locate` is asked once for each that is no reference.
    pub fn make(entries: &'a [ManifestEntry], mut locate: impl FnMut(&'a ManifestEntry) -> Location) -> Self {
        let mut plan = Self::default();
        let mut fetched: HashMap<ContentDigest, &'a ManifestEntry> = HashMap::new();
        for entry in entries {
            if entry.is_reference() {
                plan.references.push(entry);
                continue;
            }
            match locate(entry) {
                Location::Target => plan.present.push(entry),
                Location::Cache => plan.cached.push(entry),
                Location::Server => {
                    let first = entry.content_digest().and_then(|digest| {
                        let first = *fetched.entry(digest).or_insert(entry);
                        // An entry that gives another size for the same bytes is wrong, and fails by itself.
                        (first.path() != entry.path() && first.size() == entry.size()).then_some(first)
                    });
                    match first {
                        Some(first) => plan.repeated.push((entry, first)),
                        None => plan.fetch.push(entry),
                    }
                }
            }
        }
        plan
    }

    /// Whether nothing has to be asked of any server: no file request, no request for addresses.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.fetch.is_empty() && self.references.is_empty()
    }

    /// The plan in numbers.
    #[must_use]
    pub fn summary(&self, sizes: &RequestSizes) -> PlanSummary {
        let bytes = |entries: &[&ManifestEntry]| sum(entries.iter().copied());
        let requests = |entry: &&ManifestEntry| match entry.size() {
            Some(size) if size >= sizes.range_from => size.div_ceil(sizes.range.max(1)).max(1),
            _ => 1,
        };
        PlanSummary {
            present_files: self.present.len(),
            present_bytes: bytes(&self.present),
            cached_files: self.cached.len(),
            cached_bytes: bytes(&self.cached),
            fetched_files: self.fetch.len(),
            fetched_bytes: bytes(&self.fetch),
            repeated_files: self.repeated.len(),
            repeated_bytes: sum(self.repeated.iter().map(|(entry, _)| *entry)),
            references: self.references.len(),
            address_requests: self.fetch.len().div_ceil(sizes.addresses.max(1)),
            file_requests: self.fetch.iter().map(requests).fold(0, u64::saturating_add),
        }
    }
}

fn sum<'a>(entries: impl Iterator<Item = &'a ManifestEntry>) -> u64 {
    entries
        .filter_map(ManifestEntry::size)
        .fold(0, u64::saturating_add)
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} files present ({} bytes), {} from the cache ({} bytes), {} to fetch ({} bytes in {} requests)",
            self.present_files,
            self.present_bytes,
            self.cached_files,
            self.cached_bytes,
            self.fetched_files,
            self.fetched_bytes,
            self.address_requests as u64 + self.file_requests,
        )?;
        if self.repeated_files > 0 {
            write!(formatter, ", {} copies of those", self.repeated_files)?;
        }
        if self.references > 0 {
            write!(formatter, ", {} references", self.references)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{digest::Algorithm, manifest::Manifest};

    fn file(path: &str, content: &str) -> ManifestEntry {
        ManifestEntry::file(
            path,
            Algorithm::Md5.hash(content.as_bytes()),
            content.len() as u64,
        )
    }

    #[test]
    fn files_are_sorted_by_where_they_are() {
        let entries = vec![
            file("cached", "1"),
            file("copy", "new content"),
            file("new", "new content"),
            file("present", "22"),
            file("second", "333"),
            ManifestEntry::reference("ref", "s3://b/k", "e"),
            file("lies", "333").with_size(4),
        ];
        let manifest = Manifest::new().with_entries(entries).unwrap();
        let plan = DownloadPlan::make(manifest.entries(), |entry| match entry.path() {
            "cached" => Location::Cache,
            "present" => Location::Target,
            _ => Location::Server,
        });
        let paths = |entries: &[&ManifestEntry]| -> Vec<String> {
            entries.iter().map(|entry| entry.path().to_owned()).collect()
        };
        assert_eq!(paths(&plan.fetch), ["copy", "lies", "second"]);
        assert_eq!(plan.repeated.len(), 1);
        assert_eq!(
            (plan.repeated[0].0.path(), plan.repeated[0].1.path()),
            ("new", "copy")
        );
        let sizes = RequestSizes {
            addresses: 2,
            range_from: 10,
            range: 4,
        };
        let summary = plan.summary(&sizes);
        assert_eq!((summary.fetched_files, summary.fetched_bytes), (3, 18));
        assert_eq!((summary.address_requests, summary.file_requests), (2, 5));
        assert_eq!(
            summary.to_string(),
            "1 files present (2 bytes), 1 from the cache (1 bytes), 3 to fetch (18 bytes in 7 requests), \
             1 copies of those, 1 references"
        );
        assert!(!plan.is_offline());
        let plan = DownloadPlan::make(manifest.with_prefix("p"), |_| Location::Target);
        assert!(plan.is_offline());
        let summary = plan.summary(&RequestSizes::default());
        assert_eq!((summary.address_requests, summary.file_requests), (0, 0));
    }

    proptest! {
        #[test]
        fn every_entry_is_in_one_place_and_every_content_is_fetched_once(
            files in prop::collection::btree_map("[a-z]{1,3}", (0_u8..6, 0_u8..4), 0..20),
        ) {
            let entries: Vec<_> = files
                .iter()
                .map(|(path, (content, kind))| match kind {
                    0 => ManifestEntry::reference(path.as_str(), "s3://b/k", "e"),
                    _ => file(path, &content.to_string()),
                })
                .collect();
            let plan = DownloadPlan::make(&entries, |entry| match files[entry.path()].1 {
                1 => Location::Cache,
                2 => Location::Target,
                _ => Location::Server,
            });
            let count = plan.present.len() + plan.cached.len() + plan.fetch.len() + plan.repeated.len()
                + plan.references.len();
            prop_assert_eq!(count, entries.len());
            let mut digests: Vec<_> = plan.fetch.iter().map(|entry| entry.content_digest()).collect();
            digests.sort_unstable();
            digests.dedup();
            prop_assert_eq!(digests.len(), plan.fetch.len());
            for (entry, first) in &plan.repeated {
                prop_assert_eq!(entry.content_digest(), first.content_digest());
                prop_assert!(plan.fetch.iter().any(|fetched| fetched.path() == first.path()));
            }
        }
    }
}
