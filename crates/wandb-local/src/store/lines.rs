//! Where a line lives: one integer from a run and a line number.

use super::{StoreError, StoreResult};

/// Lines per run; the lower half of a position.
const LINES: i64 = 1 << 32;

/// The position of line `line` of run `run` in `history`, `events` and `console`.
pub(crate) fn position(run: i64, line: u64) -> StoreResult<i64> {
    let line = i64::try_from(line).ok().filter(|line| *line < LINES);
    match line {
        Some(line) => Ok(run * LINES + line),
        None => Err(StoreError::Refused("line number out of range".to_owned())),
    }
}

/// First position of a run, and first of the next.
pub(crate) fn range(run: i64) -> (i64, i64) {
    (run * LINES, (run + 1) * LINES)
}

/// The line number in a position.
pub(crate) fn line_of(position: i64) -> i64 {
    position % LINES
}
