//! Making room: what to remove, and removing it.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde::Serialize;
use wandb_core::path::safe_relative_path;

use super::{
    Cache, CacheError, CacheGuard, Count, ListedObject, RecordFile, TemporaryFile, listing::Contents,
    store::now,
};

/// What a collection is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GcPolicy {
    /// How many bytes objects and leftovers may have together afterwards.
    pub max_bytes: u64,
    /// Leftovers that nobody has touched for so long are removed, whatever the size. A day by default: the official client
    /// may still be writing into younger ones.
    pub temporary_age: Duration,
    /// Manifests, versions and records of verified folders that were not used for so long are removed, whatever the size. 90
    /// days by default.
    pub record_age: Duration,
    /// Journals of uploads that were not gone on with for so long are removed. A week by default: then no store knows the
    /// upload any more.
    pub upload_age: Duration,
}

/// A day, in seconds.
const DAY: u64 = 24 * 60 * 60;

impl GcPolicy {
    /// A size, and the default ages.
    #[must_use]
    pub fn up_to(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            temporary_age: Duration::from_secs(DAY),
            record_age: Duration::from_secs(90 * DAY),
            upload_age: Duration::from_secs(7 * DAY),
        }
    }
}

/// What is to be removed. Making a plan changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GcPlan {
    /// Objects, those not used for the longest time first.
    pub objects: Vec<ListedObject>,
    /// Leftovers.
    pub temporary: Vec<TemporaryFile>,
    /// Our own records that are old, or of folders that are gone. They do not count as part of the size.
    pub records: Vec<RecordFile>,
    /// What is there.
    pub before: Count,
    /// What would be left.
    pub after: Count,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Collected {
    /// Objects and leftovers that were removed.
    pub removed: Count,
    /// Our own records that were removed.
    pub records: Count,
    /// Of the plan, what was kept because it was used, or replaced, or gone since.
    pub kept: usize,
}

impl GcPlan {
    /// Chooses what to remove: old leftovers and records, then the objects that were not used for the longest time, until the
    /// rest is small enough. `now` is in seconds since 1970.
    pub(super) fn make(contents: Contents, policy: &GcPolicy, now: u64) -> Self {
        let Contents {
            mut objects,
            temporary,
            records,
            other,
            ..
        } = contents;
        let sizes = || {
            let objects = objects.iter().map(|object| object.size);
            objects.chain(temporary.iter().map(|file| file.size))
        };
        let before = Count {
            files: sizes().count() + other.files,
            bytes: sizes().fold(other.bytes, u64::saturating_add),
        };
        let mut plan = Self {
            before,
            after: before,
            records: records
                .into_iter()
                .filter(|record| record.is_due(policy, now))
                .collect(),
            ..Self::default()
        };
        let age = policy.temporary_age.as_secs();
        for file in temporary {
            if file.last_use.saturating_add(age) <= now {
                plan.after.files -= 1;
                plan.after.bytes -= file.size.min(plan.after.bytes);
                plan.temporary.push(file);
            }
        }
        objects.sort_unstable_by_key(|object| (object.last_use, object.key));
        for object in objects {
            if plan.after.bytes <= policy.max_bytes {
                break;
            }
            plan.after.files -= 1;
            plan.after.bytes -= object.size.min(plan.after.bytes);
            plan.objects.push(object);
        }
        plan
    }

    /// How many bytes would be freed.
    #[must_use]
    pub fn freed(&self) -> u64 {
        self.before.bytes - self.after.bytes
    }

    /// How much of our own records would go.
    #[must_use]
    pub fn freed_records(&self) -> Count {
        let mut count = Count::default();
        self.records.iter().for_each(|record| count.add(record.size));
        count
    }
}

impl Cache {
    /// Looks at the cache and chooses what to remove. Nothing is changed.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn plan_collection(&self, policy: &GcPolicy) -> Result<GcPlan, CacheError> {
        Ok(GcPlan::make(self.contents()?, policy, now()))
    }

    /// Removes what a plan names, but for what was used or replaced since it was made.
    ///
    /// # Errors
    /// [`CacheError::InUse`] while any process holds a [guard](Cache::guard); else when a file cannot be removed.
    pub fn collect(&self, plan: &GcPlan) -> Result<Collected, CacheError> {
        let Some(_alone) = CacheGuard::take_alone(&self.records, &Self::use_lock())? else {
            return Err(CacheError::InUse {
                path: self.path().to_owned(),
            });
        };
        self.remove(plan, &self.contents()?)
    }

    /// Removes, alone, what a plan names and is as it says.
    pub(super) fn remove(&self, plan: &GcPlan, now: &Contents) -> Result<Collected, CacheError> {
        let objects: HashMap<_, _> = now.objects.iter().map(|object| (object.key, object)).collect();
        let temporary: HashSet<_> = now.temporary.iter().collect();
        let records: HashSet<_> = now.records.iter().collect();
        // At worst an object that was inserted at this moment is read once more.
        self.index().forget_absent(|key| objects.contains_key(key));
        let mut collected = Collected::default();
        for object in &plan.objects {
            // The same object, not used since.
            let is_same = objects
                .get(&object.key)
                .is_some_and(|found| found.size == object.size && found.last_use <= object.last_use);
            if is_same && self.objects.remove(&object.key.path())? {
                self.index().note(object.key, None);
                collected.removed.add(object.size);
            } else {
                collected.kept += 1;
            }
        }
        for file in &plan.temporary {
            if temporary.contains(file) && self.remove_temporary(file)? {
                collected.removed.add(file.size);
            } else {
                collected.kept += 1;
            }
        }
        for record in &plan.records {
            if records.contains(record) && self.remove_record(record)? {
                collected.records.add(record.size);
            } else {
                collected.kept += 1;
            }
        }
        self.remove_empty_folders(plan);
        self.flush()?;
        Ok(collected)
    }

    fn remove_record(&self, record: &RecordFile) -> Result<bool, CacheError> {
        match safe_relative_path(&record.path) {
            Ok(name) => Ok(self.root.remove(&name)?),
            Err(_) => Ok(false),
        }
    }

    fn remove_temporary(&self, file: &TemporaryFile) -> Result<bool, CacheError> {
        let Ok(name) = safe_relative_path(&file.path) else {
            return Ok(false);
        };
        if file.path.starts_with("tmp/") {
            return Ok(self.root.remove(&name)?);
        }
        // A part that some process is writing is locked, and stays.
        let (folder, file_name) = file.path.rsplit_once('/').unwrap_or_default();
        let removed = self.root.sweep_parts(Some(folder), &|found| found != file_name);
        Ok(removed > 0)
    }

    fn remove_empty_folders(&self, plan: &GcPlan) {
        for object in &plan.objects {
            let path = object.key.path();
            if let Some((folder, _)) = path.as_str().rsplit_once('/')
                && let Ok(folder) = safe_relative_path(folder)
            {
                // Not empty, mostly.
                let _ = self.objects.remove_if_empty(&folder);
            }
        }
    }
}
