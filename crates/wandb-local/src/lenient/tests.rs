//! Laws against `serde_json` on strict input, and totality on anything.

use std::borrow::Cow;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::scan::MAX_DEPTH;
use super::*;

fn project_row(row: &str, keys: &[&str]) -> Option<String> {
    Projection::new(keys).project(row)
}

/// Keys that collide, nest and need escapes often enough to matter.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ab]",
        4 => "[ab]\\.[ab]",
        1 => "[ab]\\.[ab]\\.[ab]",
        1 => Just("value".to_owned()),
        1 => Just("_wandb".to_owned()),
        1 => "\\PC{0,4}",
        1 => Just("q\"\\\n\u{1}é😀".to_owned()),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| serde_json::Number::from_f64(float).map_or(Value::Null, Value::Number)),
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("NaN \"\\\u{0}")),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(key(), inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    btree_map(key(), value(), 0..5).prop_map(|members| members.into_iter().collect())
}

/// A document that may hold the bare tokens: its text, and what its strict form means.
fn lenient_document() -> impl Strategy<Value = (String, Value)> {
    let token = prop_oneof![Just("NaN"), Just("Infinity"), Just("-Infinity")];
    let leaf = prop_oneof![
        1 => token.prop_map(|token| (token.to_owned(), Value::from(token))),
        1 => Just(("1e999".to_owned(), json!("Infinity"))),
        1 => Just(("-2E+400".to_owned(), json!("-Infinity"))),
        1 => Just((r#""x\ud800y\udc00\ud83d\ude00""#.to_owned(), json!("x\u{FFFD}y\u{FFFD}😀"))),
        3 => leaf().prop_map(|value| (value.to_string(), value)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| {
                let texts: Vec<_> = items.iter().map(|(text, _)| format!(" {text}\n")).collect();
                (
                    format!("[{}]", texts.join(",")),
                    items.into_iter().map(|(_, value)| value).collect(),
                )
            }),
            btree_map(key(), inner, 0..4).prop_map(|members| {
                let texts: Vec<_> = members
                    .iter()
                    .map(|(key, (text, _))| format!("{} :\t{text}", Value::from(key.as_str())))
                    .collect();
                let value = members
                    .into_iter()
                    .map(|(key, (_, value))| (key, value))
                    .collect();
                (format!("{{{}}}", texts.join(" ,")), Value::Object(value))
            }),
        ]
    })
}

/// The path rule, on a tree: the literal key, else every split from the shortest first part on.
fn naive_find<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    object.get(path).or_else(|| {
        path.match_indices('.')
            .find_map(|(at, _)| naive_find(object.get(&path[..at])?.as_object()?, &path[at + 1..]))
    })
}

/// Texts near JSON: valid documents with a few characters cut or changed.
fn damaged() -> impl Strategy<Value = String> {
    let (fragment, count) = ("[\\[\\]{}\",:\\\\NIn0-9eE+. -]{1,3}", 0..3usize);
    (
        lenient_document(),
        vec((any::<proptest::sample::Index>(), fragment), count),
    )
        .prop_map(|((text, _), edits)| {
            let mut characters: Vec<char> = text.chars().collect();
            for (at, fragment) in edits {
                let at = at.index(characters.len() + 1);
                let end = (at + 1).min(characters.len());
                characters.splice(at..end, fragment.chars());
            }
            characters.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn strict_documents_are_left_alone(value in value(), pretty in any::<bool>()) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let strict = strict(&text).unwrap();
        prop_assert!(matches!(strict, Cow::Borrowed(_)));
        prop_assert_eq!(&strict, &text);
    }

    #[test]
    fn tokens_become_strings((text, expected) in lenient_document()) {
        let strict = strict(&text).unwrap();
        let parsed: Value = serde_json::from_str(&strict).unwrap();
        // The expected tree goes through its text as well, so that floats are read by the same reader.
        prop_assert_eq!(parsed, serde_json::from_str::<Value>(&expected.to_string()).unwrap());
    }

    #[test]
    fn accepts_what_serde_accepts_and_writes_what_it_reads(text in prop_oneof![damaged(), "\\PC{0,40}"]) {
        let ours = strict(&text);
        if serde_json::from_str::<Value>(&text).is_ok() {
            prop_assert!(ours.is_ok(), "{ours:?}");
        }
        if let Ok(strict) = ours {
            prop_assert!(serde_json::from_str::<Value>(&strict).is_ok(), "{strict}");
        }
        let _ = (unwrap_config(&text), select_keys(&text, &["a".to_owned()]), step_of(&text));
        let _ = (project_row(&text, &["a", "a.b"]), find_config(&text, "a.value.b"), unescape(&text));
    }

    #[test]
    fn finds_as_a_tree_walk_does(object in object(), path in key()) {
        let text = Value::Object(object.clone()).to_string();
        let found = find(&text, &path).unwrap().map(|raw| raw.text.to_owned());
        prop_assert_eq!(found, naive_find(&object, &path).map(Value::to_string));
    }

    #[test]
    fn projects_exactly_the_keys(object in object(), keys in vec(key(), 1..4)) {
        let text = Value::Object(object.clone()).to_string();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let row = project_row(&text, &keys);
        let expected: Option<Map<String, Value>> =
            keys.iter().map(|key| Some(((*key).to_owned(), naive_find(&object, key)?.clone()))).collect();
        match (row, expected) {
            (Some(row), Some(expected)) => {
                let mut order: Vec<&str> = Vec::new();
                keys.iter().for_each(|key| if !order.contains(key) { order.push(key) });
                let members: Vec<String> = order.iter().map(|key| {
                    let mut label = String::new();
                    push_quoted(&mut label, key);
                    format!("{label}:{}", expected[*key])
                }).collect();
                prop_assert_eq!(row, format!("{{{}}}", members.join(",")));
            }
            (row, expected) => prop_assert!(row.is_none() && expected.is_none(), "{row:?} {expected:?}"),
        }
    }

    #[test]
    fn unwraps_once(object in object()) {
        let text = Value::Object(object.clone()).to_string();
        let expected: Map<String, Value> = object
            .into_iter()
            .filter(|(key, _)| key != "_wandb" && key != "wandb_version")
            .map(|(key, value)| { let inner = value.get("value").cloned(); (key, inner.unwrap_or(value)) })
            .collect();
        prop_assert_eq!(unwrap_config(&text).unwrap(), Value::Object(expected).to_string());
    }

    #[test]
    fn selects_top_level_keys(object in object(), keys in vec(key(), 0..4)) {
        let text = Value::Object(object.clone()).to_string();
        let expected: Map<String, Value> = object.into_iter().filter(|(key, _)| keys.contains(key)).collect();
        prop_assert_eq!(select_keys(&text, &keys).unwrap(), Value::Object(expected).to_string());
    }

    #[test]
    fn strings_round_trip(text in any::<String>()) {
        let mut quoted = String::new();
        push_quoted(&mut quoted, &text);
        prop_assert_eq!(&serde_json::from_str::<String>(&quoted).unwrap(), &text);
        let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
        prop_assert_eq!(unescape(&escaped), text);
    }

    #[test]
    fn steps_are_read_exactly(step in any::<i64>()) {
        prop_assert_eq!(step_of(&format!(r#"{{"a":{{"_step":7}},"_step":{step}}}"#)), Some(step));
    }
}

#[test]
fn integers_beyond_doubles_keep_their_digits() {
    let row = r#"{"_step":1,"n":1152921504606846977,"big":123456789012345678901234567890,"x":NaN}"#;
    assert_eq!(
        project_row(row, &["n", "x", "big"]).unwrap(),
        r#"{"n":1152921504606846977,"x":"NaN","big":123456789012345678901234567890}"#
    );
}

#[test]
fn nulls_are_present_and_absent_keys_are_not() {
    assert_eq!(project_row(r#"{"a":null}"#, &["a"]).unwrap(), r#"{"a":null}"#);
    assert_eq!(project_row(r#"{"a":null}"#, &["a", "b"]), None);
    assert_eq!(project_row(r#"{"d":{"x":1}}"#, &["d.x"]).unwrap(), r#"{"d.x":1}"#);
    assert_eq!(
        project_row(r#"{"d":{"x":1},"d.x":2}"#, &["d.x"]).unwrap(),
        r#"{"d.x":2}"#
    );
    assert_eq!(project_row("not json", &["a"]), None);
}

#[test]
fn steps_may_be_written_as_whole_floats() {
    assert_eq!(step_of(r#"{"_step":1e+06}"#), Some(1_000_000));
    assert_eq!(step_of(r#"{"_step":1.5}"#), None);
    assert_eq!(step_of(r#"{"_step":"1"}"#), None);
    assert_eq!(step_of(r#"{"_step":NaN}"#), None);
    assert_eq!(step_of("{}"), None);
}

#[test]
fn config_paths_may_name_the_wrapper() {
    let config = r#"{"lr":0.1,"optimizer":{"lr":1},"own":{"value":5}}"#;
    let text = |path| find_config(config, path).unwrap().map(|raw| raw.text);
    assert_eq!(text("lr"), Some("0.1"));
    assert_eq!(text("lr.value"), Some("0.1"));
    assert_eq!(text("optimizer.value.lr"), Some("1"));
    assert_eq!(text("own.value"), Some("5"));
    assert_eq!(text("lr.valued"), None);
}

#[test]
fn depth_is_bounded_and_strict_output_is_within_serde_json() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(serde_json::from_str::<Value>(&strict(&nested(MAX_DEPTH)).unwrap()).is_ok());
        assert_eq!(
            strict(&nested(MAX_DEPTH + 1)).unwrap_err().reason,
            "nested too deeply"
        );
        assert!(strict(&open.repeat(1_000_000)).is_err());
    }
}

#[test]
fn errors_say_where() {
    for (text, offset) in [
        ("", 0),
        ("{\"a\":}", 5),
        ("[1,]", 3),
        ("01", 1),
        ("\"\u{1}\"", 1),
        ("{} x", 3),
        ("-Inf", 1),
    ] {
        assert_eq!(strict(text).unwrap_err().offset, offset, "{text}");
    }
}

#[test]
fn arrays_give_their_elements() {
    let texts = |text| elements(text).map(|raw| raw.text).collect::<Vec<_>>();
    assert_eq!(texts("[1, [2], \"x\" ]"), ["1", "[2]", "\"x\""]);
    assert_eq!(texts("[ ]"), Vec::<&str>::new());
    assert_eq!(texts("{}"), Vec::<&str>::new());
}
