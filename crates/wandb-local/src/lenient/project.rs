//! Cutting chosen keys out of history rows. This is the hot path of `sampledHistory`: every row of a run passes here.

use super::find::{find, leads_to};
use super::scan::{Kind, Raw, members, unescape};
use super::strict::push_strict;

/// Keys to cut out of many rows, prepared once.
#[derive(Debug)]
pub(crate) struct Projection<'k> {
    keys: Vec<Key<'k>>,
    /// Indexes into `keys` by fingerprint, in open addressing: the members of every row are looked up here.
    slots: Vec<Option<usize>>,
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
        // At least half of the slots stay empty, so that a search for a key that is not there ends soon.
        let mut slots = vec![None; (prepared.len() * 2).next_power_of_two()];
        for (index, key) in prepared.iter().enumerate() {
            let mut at = fingerprint(key.name) & (slots.len() - 1);
            while slots[at].is_some() {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = Some(index);
        }
        let dotted = (0..prepared.len())
            .filter(|&index| prepared[index].name.contains('.'))
            .collect();
        Self {
            keys: prepared,
            slots,
            dotted,
        }
    }

    fn index(&self, key: &str) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = fingerprint(key) & mask;
        while let Some(index) = self.slots[at] {
            if self.keys[index].name == key {
                return Some(index);
            }
            at = (at + 1) & mask;
        }
        None
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
            if let Some(index) = self.index(&key) {
                let slot = &mut found[index];
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
        let mut out = String::with_capacity(self.keys.len() * 40);
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

/// A number that tells most keys apart: from the length and both ends, which is where metric names differ.
fn fingerprint(key: &str) -> usize {
    let bytes = key.as_bytes();
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
    };
    let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (word(bytes), 0),
    };
    let mixed = (first ^ last.rotate_left(29) ^ bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as usize
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
