//! Changing single members of a document, the rest of its text untouched.

use std::borrow::Cow;
use std::collections::HashMap;

use super::scan::{Kind, LenientError, Raw, members, unescape};

/// A member: its key as written, the key that this stands for, and the value.
type Member<'a> = (&'a str, Cow<'a, str>, Raw<'a>);

/// The members of an object in order; of a key that occurs twice, the first.
fn distinct(text: &str) -> Result<Vec<Member<'_>>, LenientError> {
    let mut seen = std::collections::HashSet::new();
    let mut found = Vec::new();
    for member in members(text)? {
        let (key, value) = member?;
        let name = unescape(key);
        if seen.insert(name.clone()) {
            found.push((key, name, value));
        }
    }
    Ok(found)
}

/// Appends a member; `key` is as it was written.
fn push(out: &mut String, key: &str, value: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push('"');
    out.push_str(key);
    out.push_str("\":");
    out.push_str(value);
}

/// `patch` merged into `document`: where both have an object under a key, their members are merged, at any depth;
/// anything else of the patch replaces what is there, null included.
///
/// # Errors
/// One of the two is not a JSON object.
pub(crate) fn merge(document: &str, patch: &str) -> Result<String, LenientError> {
    let mut upper: HashMap<Cow<'_, str>, (&str, Raw<'_>)> = HashMap::new();
    let mut order = Vec::new();
    for (key, name, value) in distinct(patch)? {
        order.push(name.clone());
        upper.insert(name, (key, value));
    }
    let mut out = String::with_capacity(document.len() + patch.len());
    out.push('{');
    for (key, name, value) in distinct(document)? {
        match upper.remove(&name) {
            // The scanner bounds the depth of both texts, and with it this recursion.
            Some((_, new)) if value.kind == Kind::Object && new.kind == Kind::Object => {
                push(&mut out, key, &merge(value.text, new.text)?);
            }
            Some((_, new)) => push(&mut out, key, new.text),
            None => push(&mut out, key, value.text),
        }
    }
    for name in order {
        if let Some((key, value)) = upper.remove(&name) {
            push(&mut out, key, value.text);
        }
    }
    out.push('}');
    Ok(out)
}

/// `document` without the member at `path`; as it is when there is none.
///
/// # Errors
/// The document is not a JSON object.
pub(crate) fn remove<K: AsRef<str>>(document: &str, path: &[K]) -> Result<String, LenientError> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(document.to_owned());
    };
    let mut out = String::with_capacity(document.len());
    out.push('{');
    for (key, name, value) in distinct(document)? {
        if name != first.as_ref() {
            push(&mut out, key, value.text);
        } else if !rest.is_empty() {
            if value.kind == Kind::Object {
                push(&mut out, key, &remove(value.text, rest)?);
            } else {
                push(&mut out, key, value.text);
            }
        }
    }
    out.push('}');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    #[test]
    fn members_are_merged_and_texts_kept() {
        let merged = merge(
            r#"{"a":{"x":1.50,"y":NaN},"b":[1, 2],"c":12345678901234567890,"d":{"e":1}}"#,
            r#"{"a":{"y":{"z":0}},"b":[3],"d":null,"n\u0065w":-Infinity}"#,
        );
        assert_eq!(
            merged.unwrap(),
            r#"{"a":{"x":1.50,"y":{"z":0}},"b":[3],"c":12345678901234567890,"d":null,"n\u0065w":-Infinity}"#
        );
        assert!(merge("[]", "{}").is_err() && merge("{}", "1").is_err() && merge("{}", r#"{"a":}"#).is_err());
    }

    #[test]
    fn a_key_is_the_same_however_it_is_written() {
        assert_eq!(merge(r#"{"\u0061":1}"#, r#"{"a":2}"#).unwrap(), r#"{"\u0061":2}"#);
        assert_eq!(remove(r#"{"\u0061":1,"b":2}"#, &["a"]).unwrap(), r#"{"b":2}"#);
    }

    #[test]
    fn paths_lead_into_objects_only() {
        let document = r#"{"a":{"b":1,"c":2},"a.b":3,"l":[{"b":1}]}"#;
        assert_eq!(
            remove(document, &["a", "b"]).unwrap(),
            r#"{"a":{"c":2},"a.b":3,"l":[{"b":1}]}"#
        );
        for path in [
            &["l", "b"][..],
            &["l", "0"],
            &["x"],
            &["a", "x"],
            &["a.b", "c"],
            &[],
        ] {
            assert_eq!(remove(document, path).unwrap(), document, "{path:?}");
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-c\"\\\\é]{0,3}".prop_map(Value::from),
        ];
        let nested = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-d\"]{1,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        proptest::collection::btree_map("[a-d\"]{1,2}", nested, 0..5)
            .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()))
    }

    /// The same merge over parsed values.
    fn expected(document: &Value, patch: &Value) -> Value {
        match (document, patch) {
            (Value::Object(lower), Value::Object(upper)) => {
                let mut members = lower.clone();
                for (key, value) in upper {
                    let merged = lower
                        .get(key)
                        .map_or_else(|| value.clone(), |old| expected(old, value));
                    members.insert(key.clone(), merged);
                }
                Value::Object(members)
            }
            _ => patch.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn merging_text_is_merging_values(document in documents(), patch in documents()) {
            let text = merge(&document.to_string(), &patch.to_string()).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected(&document, &patch));
        }

        #[test]
        fn any_text_is_an_error_or_an_object(left in ".{0,40}", right in r#"\{("[ab]":(1|\{\}|\[),?){0,3}\}?"#) {
            if let Ok(text) = merge(&left, &right) {
                let object = text.starts_with('{') && text.ends_with('}');
                prop_assert!(object, "not an object");
            }
            let _ = remove(&right, &[left]);
        }
    }

    #[test]
    fn removal_and_merge_replace_an_object() {
        let document = json!({ "a": { "x": 1 } }).to_string();
        let removed = remove(&document, &["a"]).unwrap();
        assert_eq!(merge(&removed, r#"{"a":{"y":2}}"#).unwrap(), r#"{"a":{"y":2}}"#);
    }
}
