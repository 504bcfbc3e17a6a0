//! Cutting chosen keys out of history rows. This is the hot path of `sampledHistory`: every row of a run passes here.

use super::find::{find, leads_to};
use super::scan::{Kind, Raw, members, unescape};
use super::strict::push_strict;

/// Keys to cut out of many rows, prepared once.
#[derive(Debug)]
pub(crate) struct Projection<'k> {
    keys: Vec<Key<'k>>,
    /// Indexes into `keys`, by length and then bytes, so that a member is looked up with few comparisons.
    sorted: Vec<usize>,
    dotted: Vec<usize>,
}

#[derive(Debug)]
struct Key<'k> {
    name: &'k str,
    /// `"name":` as it is written in a result.
    label: String,
}

impl<'k> Projection<'k> {
    /// A key asked for twice appears once: the official client repeats `_step`, and no reader needs it twice.
    pub(crate) fn new<K: AsRef<str>>(keys: &'k [K]) -> Self {
        let mut prepared: Vec<Key<'k>> = Vec::with_capacity(keys.len());
        for name in keys.iter().map(AsRef::as_ref) {
            if prepared.iter().any(|key| key.name == name) {
                continue;
            }
            let mut label = String::with_capacity(name.len() + 3);
            push_quoted(&mut label, name);
            label.push(':');
            prepared.push(Key { name, label });
        }
        let mut sorted: Vec<usize> = (0..prepared.len()).collect();
        sorted.sort_by_key(|&index| rank(prepared[index].name));
        let dotted = (0..prepared.len())
            .filter(|&index| prepared[index].name.contains('.'))
            .collect();
        Self {
            keys: prepared,
            sorted,
            dotted,
        }
    }

    /// A strict JSON object of exactly the keys, in their order. `None` when the row lacks one of them (a logged null
    /// is there) or is not a JSON object. A key may be the path of a nested value, `d.x`; the literal key wins.
    pub(crate) fn project(&self, row: &str) -> Option<String> {
        let mut found: Vec<Option<Raw<'_>>> = vec![None; self.keys.len()];
        let mut missing = self.keys.len();
        let mut nested = false;
        for member in members(row).ok()? {
            let (key, value) = member.ok()?;
            let key = unescape(key);
            if let Ok(at) = self
                .sorted
                .binary_search_by_key(&rank(&key), |&index| rank(self.keys[index].name))
            {
                let slot = &mut found[self.sorted[at]];
                if slot.is_none() {
                    *slot = Some(value);
                    missing -= 1;
                }
            }
            if missing == 0 {
                break;
            }
            nested |= value.kind == Kind::Object
                && self
                    .dotted
                    .iter()
                    .any(|&index| leads_to(&key, self.keys[index].name));
        }
        if missing > 0 && nested {
            for &index in &self.dotted {
                if found[index].is_none() {
                    found[index] = find(row, self.keys[index].name).ok()?;
                }
            }
        }
        let mut out = String::with_capacity(self.keys.len() * 32);
        out.push('{');
        for (key, value) in self.keys.iter().zip(&found) {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&key.label);
            push_strict(&mut out, (*value)?);
        }
        out.push('}');
        Some(out)
    }
}

/// The order of [`Projection::sorted`]: most comparisons end at the length.
fn rank(key: &str) -> (usize, &[u8]) {
    (key.len(), key.as_bytes())
}

/// The `_step` of a history row, if it has one that is a whole number. Other writers may spell it as a float
/// (`1e+06`, `3.0`).
pub(crate) fn step_of(row: &str) -> Option<i64> {
    for member in members(row).ok()? {
        let (key, value) = member.ok()?;
        if key != "_step" {
            continue;
        }
        if let Ok(step) = value.text.parse::<i64>() {
            return Some(step);
        }
        let step = value
            .text
            .parse::<f64>()
            .ok()
            .filter(|_| value.kind == Kind::Number)?;
        // Beyond 2^53 a float no longer names one integer.
        return (step.fract() == 0.0 && step.abs() <= 9_007_199_254_740_992.0).then_some(step as i64);
    }
    None
}

/// Appends `text` as a JSON string.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
