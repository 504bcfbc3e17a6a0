//! A size that the cache keeps by itself.

use std::io::Read as _;

use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{Algorithm, Existing, Expected};

use super::{Cache, CacheError, CacheGuard, Collected, GcPlan, GcPolicy, store::now};

/// How long, in seconds, a count of what the index does not know is good. Other programs add to the cache, too.
const COUNTED_FOR: u64 = 60 * 60;

/// The first word of the record of that count.
const TITLE: &str = "wb-counted 1";

/// The longest such record, in bytes.
const LONGEST: u64 = 128;

impl Cache {
    /// Sets how many bytes objects and leftovers may take. [`keep_budget`](Self::keep_budget), which every
    /// download through the cache calls at its end, then removes the objects that were not used for the
    /// longest time. Without a budget nothing is removed but by [`collect`](Self::collect).
    #[must_use]
    pub fn with_budget(mut self, bytes: u64) -> Self {
        self.budget = Some(bytes);
        self
    }

    /// The [budget](Self::with_budget), if there is one.
    #[must_use]
    pub fn budget(&self) -> Option<u64> {
        self.budget
    }

    /// Makes room if the cache takes more than its [budget](Self::with_budget): down to nine tenths of it, so that not each
    /// download has to. What a [collection](Self::plan_collection) removes whatever the size goes, too.
    ///
    /// `None` when nothing had to be done, or when any process holds a [guard](Self::guard): then the cache is too large until
    /// the last of them has ended, which makes room itself if it knows the budget.
    ///
    /// It costs little while there is room: the sizes in the index are added up, and what other programs put there is counted
    /// once an hour.
    ///
    /// # Errors
    /// When the index cannot be read or written, or a file cannot be removed.
    pub fn keep_budget(&self) -> Result<Option<Collected>, CacheError> {
        let Some(budget) = self.budget else {
            return Ok(None);
        };
        self.flush()?;
        let is_within = self
            .others_counted()
            .is_some_and(|others| self.index().proven_bytes().saturating_add(others) <= budget);
        if is_within {
            return Ok(None);
        }
        let Some(_alone) = CacheGuard::take_alone(&self.records, &Self::use_lock())? else {
            return Ok(None);
        };
        let contents = self.contents()?;
        let found = contents.total();
        let target = if found > budget {
            budget - budget / 10
        } else {
            budget
        };
        let plan = GcPlan::make(contents.clone(), &GcPolicy::up_to(target), now());
        let collected = self.remove(&plan, &contents)?;
        let others = plan.after.bytes.saturating_sub(self.index().proven_bytes());
        self.note_others(others)?;
        Ok((collected != Collected::default()).then_some(collected))
    }

    /// What the last count found that the index does not know, in bytes; `None` when that is too long ago.
    fn others_counted(&self) -> Option<u64> {
        let mut text = String::new();
        let file = self.records.open(&Self::count_name()).ok()??;
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        let (at, others) = text
            .strip_prefix(TITLE)?
            .strip_prefix(' ')?
            .strip_suffix('\n')?
            .split_once(' ')?;
        let (at, others): (u64, u64) = (at.parse().ok()?, others.parse().ok()?);
        // A time to come is of a clock that was put back.
        (at..at.saturating_add(COUNTED_FOR))
            .contains(&now())
            .then_some(others)
    }

    fn note_others(&self, others: u64) -> Result<(), CacheError> {
        let mut file = self
            .records
            .begin(&Self::count_name(), Existing::Replace, Algorithm::Md5)?;
        file.append(format!("{TITLE} {} {others}\n", now()).as_bytes())?;
        file.publish(&Expected::default())?;
        Ok(())
    }

    fn count_name() -> RelativePath {
        safe_relative_path("counted").expect("a plain name is safe")
    }
}
