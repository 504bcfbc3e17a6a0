//! What is known about the metrics of a run: how often each was logged, as what, and where it stood last.
//!
//! The server keeps these figures up to date as rows arrive, so that `historyKeys` (protocol §2.9) costs nothing to
//! answer, however long the run is. Nested objects count under dotted names, `d.x`, as readers address them; objects
//! with a `_type` (images, tables, histograms …) count whole, under that type.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::lenient::{Kind, Raw, members, push_quoted, step_of, unescape};

/// The most keys that are told apart in one run. A run that logs a new key at every step must not fill the memory.
const MAX_KEYS: usize = 10_000;
/// The longest key, in bytes.
const MAX_KEY: usize = 1_024;
/// The most types that are told apart in one key.
const MAX_TYPES: usize = 16;
/// The longest media type; anything longer is no type name but data, and counts as `map`.
const MAX_TYPE: usize = 64;

/// The figures of all keys of a run, or of a part of its rows, see [`merge`](Self::merge).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyStats {
    /// The largest `_step`; −1 before the first row.
    #[serde(rename = "s")]
    last_step: i64,
    #[serde(rename = "k")]
    keys: HashMap<String, KeyStat>,
    /// How many values were not counted because of the limits above.
    #[serde(rename = "u", default)]
    untracked: u64,
}

/// The figures of one key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct KeyStat {
    #[serde(rename = "t")]
    types: Vec<(String, u64)>,
    /// The first and the last finite number, as it was written; empty when there was none.
    #[serde(rename = "f", default)]
    first: String,
    #[serde(rename = "p", default)]
    previous: String,
    /// No number was ever below the one before it.
    #[serde(rename = "m")]
    monotonic: bool,
}

impl Default for KeyStats {
    fn default() -> Self {
        Self {
            last_step: -1,
            keys: HashMap::new(),
            untracked: 0,
        }
    }
}

impl KeyStats {
    /// Takes one more row into account. Rows are JSON objects that were checked on arrival; of anything else, what can
    /// be read counts.
    pub(crate) fn observe(&mut self, row: &str) {
        if let Some(step) = step_of(row) {
            self.last_step = self.last_step.max(step);
        }
        self.observe_object(row, &mut String::new());
    }

    /// The members of an object; `prefix` is what stands before their keys. Recursion is bounded by the scanner.
    fn observe_object(&mut self, object: &str, prefix: &mut String) {
        let Ok(members) = members(object) else { return };
        let length = prefix.len();
        for (key, value) in members.map_while(Result::ok) {
            let key = unescape(key);
            if length == 0 && value.kind != Kind::Object {
                self.count(&key, type_name(value), value);
                continue;
            }
            prefix.push_str(&key);
            match nested(value) {
                Some(object) => {
                    prefix.push('.');
                    self.observe_object(object, prefix);
                }
                None => self.count(
                    prefix,
                    media_type(value).as_deref().unwrap_or(type_name(value)),
                    value,
                ),
            }
            prefix.truncate(length);
        }
    }

    fn count(&mut self, key: &str, kind: &str, value: Raw<'_>) {
        // Nearly always the key is known; only then is there no need for a text of its own.
        if let Some(stat) = self.keys.get_mut(key) {
            self.untracked += u64::from(!stat.observe(kind, value));
        } else if self.keys.len() >= MAX_KEYS || key.len() > MAX_KEY {
            self.untracked += 1;
        } else {
            let mut stat = KeyStat {
                monotonic: true,
                ..KeyStat::default()
            };
            stat.observe(kind, value);
            self.keys.insert(key.to_owned(), stat);
        }
    }

    /// Takes the rows that `later` has seen into account, which came after those seen here.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.last_step = self.last_step.max(later.last_step);
        self.untracked += later.untracked;
        let mut room = MAX_KEYS.saturating_sub(self.keys.len());
        for (key, stat) in &later.keys {
            match self.keys.get_mut(key) {
                Some(known) => {
                    for (kind, count) in &stat.types {
                        self.untracked += if known.add(kind, *count) { 0 } else { *count };
                    }
                    if !stat.first.is_empty() {
                        known.follow(&stat.first);
                        known.monotonic &= stat.monotonic;
                        known.previous.clone_from(&stat.previous);
                    }
                }
                None if room > 0 => {
                    room -= 1;
                    self.keys.insert(key.clone(), stat.clone());
                }
                None => self.untracked += stat.types.iter().map(|(_, count)| count).sum::<u64>(),
            }
        }
    }

    /// The keys, in no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// How many numbers were logged under a key.
    pub(crate) fn numbers(&self, key: &str) -> u64 {
        let types = self.keys.get(key).map_or(&[][..], |stat| &stat.types);
        types
            .iter()
            .filter(|(name, _)| name == "number")
            .map(|(_, count)| count)
            .sum()
    }

    /// The form in which the store keeps the figures.
    pub(crate) fn to_stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What [`to_stored`](Self::to_stored) wrote. Anything else reads as no figures at all.
    pub(crate) fn from_stored(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::warn!(%error, "stored history keys are unreadable");
            Self::default()
        })
    }

    /// The JSON object of `historyKeys`, strict, keys in order.
    pub(crate) fn to_json(&self) -> String {
        let mut out = format!("{{\"lastStep\":{},\"keys\":{{", self.last_step);
        let ordered: BTreeMap<&String, &KeyStat> = self.keys.iter().collect();
        for (index, (key, stat)) in ordered.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_quoted(&mut out, key);
            out.push_str(":{\"typeCounts\":[");
            for (index, (kind, count)) in stat.types.iter().enumerate() {
                out.push_str(if index > 0 { ",{\"type\":" } else { "{\"type\":" });
                push_quoted(&mut out, kind);
                out.push_str(&format!(",\"count\":{count}}}"));
            }
            out.push_str(&format!(
                "],\"monotonic\":{}",
                stat.monotonic && !stat.previous.is_empty()
            ));
            if !stat.previous.is_empty() {
                out.push_str(",\"previousValue\":");
                out.push_str(&stat.previous);
            }
            out.push('}');
        }
        out.push_str("},\"sets\":[]");
        if self.untracked > 0 {
            out.push_str(&format!(",\"untracked\":{}", self.untracked));
        }
        out.push('}');
        out
    }
}

impl KeyStat {
    /// Takes one more value into account; false when it could not be counted.
    fn observe(&mut self, kind: &str, value: Raw<'_>) -> bool {
        if value.kind == Kind::Number && !value.rewrite {
            self.follow(value.text);
        }
        self.add(kind, 1)
    }

    /// Counts values of a type; false when there are too many types already.
    fn add(&mut self, kind: &str, count: u64) -> bool {
        if let Some((_, known)) = self.types.iter_mut().find(|(known, _)| known == kind) {
            *known += count;
            return true;
        }
        let room = self.types.len() < MAX_TYPES;
        if room {
            self.types.push((kind.to_owned(), count));
        }
        room
    }

    /// Notes the next number, which the scanner has checked to be a finite one.
    fn follow(&mut self, number: &str) {
        if self.previous.is_empty() {
            self.first.push_str(number);
        } else if self.monotonic {
            self.monotonic = number.parse::<f64>().ok() >= self.previous.parse::<f64>().ok();
        }
        self.previous.clear();
        self.previous.push_str(number);
    }
}

/// The object whose members count one by one, if `value` is such a one.
fn nested(value: Raw<'_>) -> Option<&str> {
    if value.kind != Kind::Object || media_type(value).is_some() {
        return None;
    }
    members(value.text).ok()?.next().map(|_| value.text)
}

/// The `_type` of an object.
fn media_type(value: Raw<'_>) -> Option<String> {
    if value.kind != Kind::Object {
        return None;
    }
    let (_, kind) = members(value.text)
        .ok()?
        .flatten()
        .find(|(key, _)| *key == "_type")?;
    let name = (kind.kind == Kind::String).then(|| unescape(&kind.text[1..kind.text.len() - 1]))?;
    (name.len() <= MAX_TYPE).then(|| name.into_owned())
}

/// The names of §2.9. NaN and the infinities were logged as numbers.
fn type_name(value: Raw<'_>) -> &'static str {
    match value.kind {
        Kind::Null => "nil",
        Kind::Bool => "boolean",
        Kind::Number | Kind::NonFinite => "number",
        Kind::String => "string",
        Kind::Array => "list",
        Kind::Object => "map",
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn stats(rows: &[&str]) -> KeyStats {
        let mut stats = KeyStats::default();
        rows.iter().for_each(|row| stats.observe(row));
        stats
    }

    fn parsed(stats: &KeyStats) -> Value {
        serde_json::from_str(&stats.to_json()).unwrap()
    }

    #[test]
    fn counts_types_and_follows_numbers() {
        let stats = stats(&[
            r#"{"_step":0,"loss":1.5,"d":{"x":1,"y":{"z":"s"}},"b":true,"e":{}}"#,
            r#"{"_step":4,"loss":NaN,"img":{"_type":"image-file","path":"p"},"l":[1]}"#,
            r#"{"_step":9,"loss":0.1,"n":null,"big":1152921504606846977}"#,
        ]);
        let all = parsed(&stats);
        assert_eq!(all["lastStep"], 9);
        let keys = &all["keys"];
        assert_eq!(
            keys["loss"],
            json!({"typeCounts":[{"type":"number","count":3}],"monotonic":false,"previousValue":0.1})
        );
        assert_eq!(
            keys["_step"],
            json!({"typeCounts":[{"type":"number","count":3}],"monotonic":true,"previousValue":9})
        );
        let kind = |key: &str| keys[key]["typeCounts"][0]["type"].as_str().unwrap().to_owned();
        let kinds = ["d.x", "d.y.z", "b", "e", "img", "l", "n"].map(kind);
        assert_eq!(
            kinds,
            ["number", "string", "boolean", "map", "image-file", "list", "nil"]
        );
        assert_eq!(keys["big"]["previousValue"], json!(1152921504606846977_i64));
        assert!(keys.get("d").is_none());
        assert_eq!(all["sets"], json!([]));
    }

    #[test]
    fn nothing_logged_has_no_last_step() {
        assert_eq!(
            parsed(&KeyStats::default()),
            json!({"lastStep":-1,"keys":{},"sets":[]})
        );
        assert_eq!(
            parsed(&KeyStats::from_stored("damaged")),
            parsed(&KeyStats::default())
        );
    }

    #[test]
    fn keys_and_types_are_bounded() {
        let mut stats = KeyStats::default();
        for index in 0..MAX_KEYS + 5 {
            stats.observe(&format!(r#"{{"key{index}":1}}"#));
        }
        stats.observe(&format!(r#"{{"{}":1}}"#, "k".repeat(MAX_KEY + 1)));
        for index in 0..MAX_TYPES {
            stats.observe(&format!(r#"{{"key0":{{"_type":"t{index}"}}}}"#));
        }
        assert_eq!(stats.keys().count(), MAX_KEYS);
        assert_eq!(parsed(&stats)["untracked"], 5 + 1 + 1);
        let mut other = KeyStats::default();
        other.observe(r#"{"another":1,"key1":2}"#);
        stats.merge(&other);
        assert_eq!(parsed(&stats)["untracked"], 8);
        assert_eq!(parsed(&stats)["keys"]["key1"]["typeCounts"][0]["count"], 2);
    }

    fn row() -> impl Strategy<Value = String> {
        let key = prop_oneof![Just("a"), Just("b"), Just("a.b"), Just("_step")];
        let value = prop_oneof![
            (-3..3i64).prop_map(|number| number.to_string()),
            Just("NaN".to_owned()),
            Just("\"s\"".to_owned()),
            Just(r#"{"b":1,"c":{"_type":"histogram"}}"#.to_owned()),
        ];
        vec((key, value), 0..4).prop_map(|members| {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn merging_parts_is_seeing_all(rows in vec(row(), 0..8), at in any::<proptest::sample::Index>()) {
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let (before, after) = rows.split_at(at.index(rows.len() + 1));
            let mut merged = KeyStats::from_stored(&stats(before).to_stored());
            merged.merge(&stats(after));
            prop_assert_eq!(parsed(&merged), parsed(&stats(&rows)));
        }

        #[test]
        fn any_text_is_survived(text in "\\PC{0,40}") {
            let mut stats = KeyStats::default();
            stats.observe(&text);
            prop_assert!(serde_json::from_str::<Value>(&stats.to_json()).is_ok());
            KeyStats::from_stored(&text);
        }
    }
}
