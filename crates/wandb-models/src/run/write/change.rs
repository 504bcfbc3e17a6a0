//! Changes of single members of config or summary, apart from any network: collected, put into one normal form, applied to
//! a document, and written as the embedded server's patch.
//!
//! A change sets or removes what is at a path of keys. Later changes win: the normal form has no change below another that
//! sets a value, so the order does not matter any more and removals can come first.

use wandb_core::{Error, Result, Value, value::Map};

use crate::run::config;

/// Which document: the paths of the config go through the wrappers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    Config,
    Summary,
}

/// Changes in normal form.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Changes {
    changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq)]
struct Change {
    path: Vec<String>,
    /// `None` removes.
    value: Option<Value>,
}

/// What the embedded server is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WirePatch {
    /// What is merged, if anything.
    pub(super) patch: Option<Map>,
    /// The paths that are removed before, as JSON arrays.
    pub(super) remove: Vec<String>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds a change; `None` removes. A path has at least one key.
    pub(super) fn add(&mut self, path: Vec<String>, value: Option<Value>) -> Result<()> {
        // Below a value that these changes set: it is a part of that value.
        if let Some(above) = self.changes.iter_mut().find(|change| {
            change.value.is_some() && path.len() > change.path.len() && path.starts_with(&change.path)
        }) {
            let depth = above.path.len();
            let Some(Value::Map(map)) = &mut above.value else {
                // Nothing is in it that could be removed.
                return value.map_or(Ok(()), |_| Err(not_an_object(&path[..depth])));
            };
            return apply_one(map, &path[depth..], value.as_ref())
                .map_err(|at| not_an_object(&path[..depth + at]));
        }
        self.changes.retain(|change| !change.path.starts_with(&path));
        self.changes.push(Change { path, value });
        Ok(())
    }

    /// Applies the changes to a document as the server holds it.
    ///
    /// # Errors
    /// When a path leads through something that is no object: setting a member there would drop a value.
    pub(super) fn apply(&self, document: Document, stored: &mut Map) -> Result<()> {
        for change in self.removals_first() {
            let result = match document {
                Document::Summary => apply_one(stored, &change.path, change.value.as_ref()),
                Document::Config => apply_to_config(stored, &change.path, change.value.as_ref()),
            };
            result.map_err(|depth| not_an_object(&change.path[..depth]))?;
        }
        Ok(())
    }

    /// Whether a document has what the changes say.
    pub(super) fn hold_in(&self, document: Document, stored: &Map) -> bool {
        self.changes.iter().all(|change| {
            let found = look_up(document, stored, &change.path);
            match &change.value {
                Some(value) => found.is_some_and(|found| found.same_as(value)),
                // What was removed may have been set again below.
                None => found.is_none() || self.sets_below(&change.path),
            }
        })
    }

    /// The embedded server's form of the changes, for a document that is stored in this form.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub(super) fn to_wire(&self, document: Document, stored: &Map) -> Result<WirePatch> {
        let mut applied = stored.clone();
        self.apply(document, &mut applied)?;
        let mut patch = Map::new();
        let mut remove = Vec::new();
        for change in self.removals_first() {
            let key = &change.path[0];
            let removes_key = change.path.len() == 1 && change.value.is_none();
            // What an old writer stored without its wrapper goes as a whole, and gets one.
            if document == Document::Config && is_plain_object(stored, key) && !removes_key {
                if patch.get(key).is_none()
                    && let Some(whole) = applied.get(key)
                {
                    remove.push(path_text(std::slice::from_ref(key)));
                    patch.insert(key.as_str(), whole.clone());
                }
                continue;
            }
            let mut path = change.path.clone();
            if document == Document::Config && !removes_key {
                path.insert(1, "value".to_owned());
            }
            match &change.value {
                None => remove.push(path_text(&path)),
                Some(value) => {
                    // An object would be merged with what is there; it replaces what is there if that goes first.
                    if matches!(value, Value::Map(_)) {
                        remove.push(path_text(&path));
                    }
                    apply_one(&mut patch, &path, Some(value))
                        .map_err(|depth| not_an_object(&path[..depth]))?;
                }
            }
        }
        Ok(WirePatch {
            patch: (!patch.is_empty()).then_some(patch),
            remove,
        })
    }

    fn removals_first(&self) -> impl Iterator<Item = &Change> {
        let (removals, rest): (Vec<_>, Vec<_>) =
            self.changes.iter().partition(|change| change.value.is_none());
        removals.into_iter().chain(rest)
    }

    fn sets_below(&self, path: &[String]) -> bool {
        self.changes
            .iter()
            .any(|change| change.value.is_some() && change.path.starts_with(path))
    }
}

fn is_plain_object(stored: &Map, key: &str) -> bool {
    matches!(stored.get(key), Some(Value::Map(map)) if !config::is_wrapper(map))
}

fn path_text(path: &[String]) -> String {
    serde_json::to_string(path).expect("a list of texts can always be written")
}

/// The value at a path, through the wrapper in the config.
fn look_up<'a>(document: Document, stored: &'a Map, path: &[String]) -> Option<&'a Value> {
    let (key, rest) = path.split_first()?;
    let mut value = stored.get(key)?;
    if document == Document::Config
        && let Value::Map(map) = value
        && config::is_wrapper(map)
    {
        value = map.get("value")?;
    }
    for key in rest {
        value = value.as_map()?.get(key)?;
    }
    Some(value)
}

/// Sets or removes what is at a path of the config. A key that is set keeps its description. One that some old writer
/// stored without its wrapper (protocol §2.10) gets one: a change inside could make it look like a wrapper itself.
fn apply_to_config(
    stored: &mut Map,
    path: &[String],
    value: Option<&Value>,
) -> std::result::Result<(), usize> {
    let (key, rest) = (&path[0], &path[1..]);
    if rest.is_empty() && value.is_none() {
        return apply_one(stored, path, None);
    }
    if stored.get(key).is_none() {
        if value.is_none() {
            return Ok(());
        }
        stored.insert(key.as_str(), wrapped(Map::new()));
    }
    let Some(place) = stored.get_mut(key) else {
        return Ok(());
    };
    // Nothing is in a plain value that could be removed.
    if value.is_none() && !matches!(place, Value::Map(_)) {
        return Ok(());
    }
    if !matches!(place, Value::Map(map) if config::is_wrapper(map)) {
        *place = wrapped(place.clone()).into();
    }
    let Some(inner) = place.as_map_mut().and_then(|wrapper| wrapper.get_mut("value")) else {
        return Ok(());
    };
    match (rest, value, inner) {
        ([], Some(value), inner) => {
            *inner = value.clone();
            Ok(())
        }
        (rest, value, Value::Map(inner)) => apply_one(inner, rest, value).map_err(|depth| depth + 1),
        (_, None, _) => Ok(()),
        _ => Err(1),
    }
}

fn wrapped(value: impl Into<Value>) -> Map {
    let mut wrapper = Map::new();
    wrapper.insert("value", value.into());
    wrapper
}

/// Sets or removes what is at a path; objects on the way are made. The error is how many keys lead to what is no object.
fn apply_one(map: &mut Map, path: &[String], value: Option<&Value>) -> std::result::Result<(), usize> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        match value {
            Some(value) => map.insert(first.as_str(), value.clone()),
            None => {
                map.remove(first);
            }
        }
        return Ok(());
    }
    if value.is_some() && map.get(first).is_none() {
        map.insert(first.as_str(), Map::new());
    }
    match map.get_mut(first) {
        Some(Value::Map(inner)) => apply_one(inner, rest, value).map_err(|depth| depth + 1),
        // Nothing is there to remove.
        _ if value.is_none() => Ok(()),
        _ => Err(1),
    }
}

fn not_an_object(path: &[String]) -> Error {
    Error::invalid_input(format!(
        "{:?} holds no object, so nothing can be set in it",
        path.join(".")
    ))
    .with_hint("set the whole value instead")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(text: &str) -> Map {
        match Value::parse(text).unwrap() {
            Value::Map(map) => map,
            _ => panic!("an object was given"),
        }
    }

    fn keys(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    fn changes(list: &[(&str, Option<&str>)]) -> Changes {
        let mut changes = Changes::default();
        for (path, value) in list {
            let value = value.map(|text| Value::parse(text).unwrap());
            changes.add(keys(path), value).unwrap();
        }
        changes
    }

    /// What the schema says that the server does with a patch.
    fn server(stored: &Map, wire: &WirePatch) -> Map {
        fn merge(into: &mut Map, patch: &Map) {
            for (key, value) in patch.iter() {
                match (into.get_mut(key), value) {
                    (Some(Value::Map(inner)), Value::Map(patch)) => merge(inner, patch),
                    _ => into.insert(key, value.clone()),
                }
            }
        }
        let mut stored = stored.clone();
        for path in &wire.remove {
            let path: Vec<String> = serde_json::from_str(path).unwrap();
            apply_one(&mut stored, &path, None).unwrap();
        }
        if let Some(patch) = &wire.patch {
            merge(&mut stored, patch);
        }
        stored
    }

    const CONFIG: &str = r#"{"lr":{"value":0.1,"desc":"the rate"},"model":{"value":{"depth":3,"width":8},"desc":null},
        "plain":5,"old":{"a":1,"b":2},"_wandb":{"value":{"t":{"1":[1]}}},"wandb_version":1}"#;

    #[test]
    fn only_what_is_named_changes() {
        for (list, expected) in [
            (
                vec![("lr", Some("0.2"))],
                r#""lr":{"value":0.2,"desc":"the rate"}"#,
            ),
            (
                vec![("model/depth", Some("4"))],
                r#""model":{"value":{"depth":4,"width":8},"desc":null}"#,
            ),
            (
                vec![("model", Some(r#"{"depth":1}"#))],
                r#""model":{"value":{"depth":1},"desc":null}"#,
            ),
            (
                vec![("model/depth", None)],
                r#""model":{"value":{"width":8},"desc":null}"#,
            ),
            (vec![("plain", Some("6"))], r#""plain":{"value":6}"#),
            (vec![("old/a", Some("9"))], r#""old":{"value":{"a":9,"b":2}}"#),
            (
                vec![("old/a", Some("9")), ("old/b", None)],
                r#""old":{"value":{"a":9}}"#,
            ),
            (
                vec![("old/value", Some("1"))],
                r#""old":{"value":{"a":1,"b":2,"value":1}}"#,
            ),
            (vec![("old", Some(r#"{"c":1}"#))], r#""old":{"value":{"c":1}}"#),
            (vec![("new/x/y", Some("1"))], r#""new":{"value":{"x":{"y":1}}}"#),
            (
                vec![("old", None), ("old/z", Some("1"))],
                r#""old":{"value":{"z":1}}"#,
            ),
            (vec![("model", None)], ""),
            (vec![("absent/x", None)], ""),
        ] {
            let changes = changes(&list);
            let stored = map(CONFIG);
            let mut applied = stored.clone();
            changes.apply(Document::Config, &mut applied).unwrap();
            let text = Value::Map(applied.clone()).to_wire();
            assert!(text.contains(expected), "{list:?}: {text}");
            assert!(
                text.contains(r#""_wandb":{"value":{"t":{"1":[1]}}},"wandb_version":1"#),
                "{text}"
            );
            assert!(changes.hold_in(Document::Config, &applied), "{list:?}");
            // The server's merge has the same result, up to the order of keys.
            let wire = changes.to_wire(Document::Config, &stored).unwrap();
            let merged = Value::Map(server(&stored, &wire));
            assert!(
                merged.same_as(&Value::Map(applied)),
                "{list:?}: {}",
                merged.to_wire()
            );
        }
    }

    #[test]
    fn a_value_is_not_dropped_for_an_object() {
        for path in ["lr/x", "plain/x", "model/depth/x/y"] {
            let changes = changes(&[(path, Some("1"))]);
            let error = changes.apply(Document::Config, &mut map(CONFIG)).unwrap_err();
            assert_eq!(error.kind(), wandb_core::ErrorKind::InvalidInput, "{path}");
            assert!(changes.to_wire(Document::Config, &map(CONFIG)).is_err(), "{path}");
        }
        let mut changes = changes(&[("a", Some("1"))]);
        assert!(changes.add(keys("a/b"), Some(Value::Null)).is_err());
        // Nothing is in it that could be removed, which is what was wanted.
        changes.add(keys("a/b"), None).unwrap();
        assert_eq!(changes, self::changes(&[("a", Some("1"))]));
    }

    #[test]
    fn the_last_change_counts() {
        let both = changes(&[("a/b", Some("1")), ("a", Some(r#"{"c":2}"#)), ("a/d", Some("3"))]);
        assert_eq!(both, changes(&[("a", Some(r#"{"c":2,"d":3}"#))]));
        assert_eq!(changes(&[("a", Some("1")), ("a", None)]), changes(&[("a", None)]));
    }

    fn path() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[ab]|value|desc", 1..4)
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (0_i64..4).prop_map(Value::Int),
            Just(Value::Float(f64::NAN))
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop::collection::vec(("[ab]|value|desc", inner), 0..3)
                .prop_map(|members| Value::Map(members.into_iter().collect()))
        })
    }

    fn document() -> impl Strategy<Value = Map> {
        prop::collection::vec(("[abc]", value()), 0..4).prop_map(|members| members.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn the_server_and_this_side_agree(
            stored in document(), config in any::<bool>(),
            list in prop::collection::vec((path(), prop::option::of(value())), 1..5),
        ) {
            let document = if config { Document::Config } else { Document::Summary };
            let mut changes = Changes::default();
            for (path, value) in list {
                let _ = changes.add(path, value);
            }
            let mut applied = stored.clone();
            let wire = changes.to_wire(document, &stored);
            let here = changes.apply(document, &mut applied);
            prop_assert_eq!(wire.is_ok(), here.is_ok());
            if let Ok(wire) = wire {
                let merged = Value::Map(server(&stored, &wire));
                prop_assert!(merged.same_as(&Value::Map(applied.clone())), "{} {}", merged.to_wire(), Value::Map(applied).to_wire());
                prop_assert!(changes.hold_in(document, &applied));
            }
        }

        #[test]
        fn writers_of_different_keys_do_not_meet(stored in document(), left in value(), right in value()) {
            let one = { let mut one = Changes::default(); one.add(vec!["x".into()], Some(left)).unwrap(); one };
            let two = { let mut two = Changes::default(); two.add(vec!["y".into()], Some(right)).unwrap(); two };
            let wires = [one.to_wire(Document::Config, &stored).unwrap(), two.to_wire(Document::Config, &stored).unwrap()];
            let there = server(&server(&stored, &wires[0]), &wires[1]);
            let back = server(&server(&stored, &wires[1]), &wires[0]);
            prop_assert!(Value::Map(there.clone()).same_as(&Value::Map(back)));
            prop_assert!(one.hold_in(Document::Config, &there) && two.hold_in(Document::Config, &there));
        }
    }
}
