//! Regular expressions of filters.

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take, so that a hostile pattern cannot take the memory.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles a pattern.
///
/// The server uses RE2, the engine here is its close relative: linear time, no look-around, no back references. They
/// differ in that `\d`, `\w` and `\s` are ASCII in RE2 and Unicode here.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build()
}
