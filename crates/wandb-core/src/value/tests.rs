//! Laws of the value parser and printers.

use proptest::prelude::*;

use super::{MAX_DEPTH, Map, Scanner, Value};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (i64::MAX as u64 + 1..=u64::MAX).prop_map(Value::UInt),
        Just(Value::BigInt("123456789012345678901234567890".into())),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Float(f64::NAN)),
        Just(Value::Float(f64::NEG_INFINITY)),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn wire_form_survives_a_round_trip(value in any_value()) {
        let text = value.to_wire();
        let back = Value::parse(&text).unwrap();
        prop_assert!(back.same_as(&value), "{text}");
        // The second text is equal to the letter: printing is canonical.
        prop_assert_eq!(back.to_wire(), text);
    }

    #[test]
    fn strict_form_is_what_serde_json_reads(value in any_value()) {
        let text = value.to_json();
        prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
    }

    #[test]
    fn any_text_is_a_value_or_an_error_inside_the_text(text in any::<String>()) {
        if let Err(error) = Value::parse(&text) {
            prop_assert!(error.offset() <= text.len());
        }
    }

    #[test]
    fn damaged_texts_do_not_panic(value in any_value(), cut in any::<prop::sample::Index>(), byte in any::<char>()) {
        let mut text = value.to_wire();
        let mut place = cut.index(text.len() + 1);
        while !text.is_char_boundary(place) {
            place -= 1;
        }
        text.insert(place, byte);
        let _ = Value::parse(&text);
        let _ = Value::parse(&text[place..]);
    }

    #[test]
    fn strict_json_is_read_as_serde_json_reads_it(text in "[\\[\\]{}:,\"\\\\a-c0-9.eE+\\- tfrualsn]{0,24}") {
        let ours = Value::parse(&text).is_ok();
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // serde_json refuses numbers beyond the float range and lone surrogates; everything else agrees.
        match theirs {
            Ok(_) => prop_assert!(ours, "{}", text),
            Err(error) if error.to_string().contains("out of range") => {}
            Err(_) => prop_assert!(!ours, "{}", text),
        }
    }

    #[test]
    fn skip_passes_over_exactly_one_value(value in any_value()) {
        let text = format!("{} ,", value.to_wire());
        let mut scanner = Scanner::new(&text);
        prop_assert_eq!(scanner.skip().unwrap(), value.to_wire());
        prop_assert_eq!(scanner.peek(), Some(b','));
    }

    #[test]
    fn a_strict_copy_is_the_strict_text(value in any_value()) {
        let mut copy = Vec::new();
        Scanner::new(&value.to_wire()).copy_strict(&mut copy).unwrap();
        prop_assert_eq!(String::from_utf8(copy).unwrap(), value.to_json());
    }
}

#[test]
fn a_strict_copy_mends_what_strict_json_cannot_hold() {
    let mut copy = Vec::new();
    Scanner::new(r#"{"a":"\ud800","b":[1e999,-1e999,1e5],"c":"\ud83d\ude00"}"#)
        .copy_strict(&mut copy)
        .unwrap();
    let text = String::from_utf8(copy).unwrap();
    assert_eq!(
        text,
        "{\"a\":\"\u{fffd}\",\"b\":[\"Infinity\",\"-Infinity\",100000.0],\"c\":\"😀\"}"
    );
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
}

#[test]
fn nesting_is_limited() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Value::parse(&deep(MAX_DEPTH)).is_ok());
    assert!(Value::parse(&deep(MAX_DEPTH + 1)).is_err());
    assert!(Value::parse(&"[".repeat(1_000_000)).is_err());
}

#[test]
fn five_different_things_stay_different() {
    let value = Value::parse(r#"{"a":NaN,"b":Infinity,"c":-Infinity,"d":null,"s":"NaN"}"#).unwrap();
    let map = value.as_map().unwrap();
    assert!(map.get("a").and_then(Value::as_f64).unwrap().is_nan());
    assert_eq!(map.get("b"), Some(&Value::Float(f64::INFINITY)));
    assert_eq!(map.get("c"), Some(&Value::Float(f64::NEG_INFINITY)));
    assert_eq!(map.get("d"), Some(&Value::Null));
    assert_eq!(map.get("s"), Some(&Value::from("NaN")));
    assert_eq!(map.get("e"), None);
}

#[test]
fn integers_are_exact() {
    for text in [
        "1152921504606846976",
        "-9223372036854775808",
        "18446744073709551615",
        "170141183460469231731687303715884105728",
    ] {
        assert_eq!(Value::parse(text).unwrap().to_wire(), text);
    }
    assert!(
        !Value::parse("9007199254740993")
            .unwrap()
            .same_as(&Value::Int(9_007_199_254_740_992))
    );
    assert!(Value::Int(1).same_as(&Value::Float(1.0)));
}

#[test]
fn repeated_keys_keep_the_last_value_also_in_large_objects() {
    let value = Value::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(value.to_wire(), r#"{"a":3,"b":2}"#);
    let mut text = String::from("{");
    for place in 0..100 {
        text.push_str(&format!("\"k{}\":{place},", place % 50));
    }
    text.push_str("\"end\":0}");
    let map = Value::parse(&text).unwrap();
    let map = map.as_map().unwrap();
    assert_eq!(map.len(), 51);
    assert_eq!(map.get("k3"), Some(&Value::Int(53)));
}

#[test]
fn dotted_paths_find_the_literal_key_first() {
    let value = Value::parse(r#"{"a.b":1,"a":{"b":2,"c":{"d":3},"c.d":4},"x":{"y.z":5}}"#).unwrap();
    let map: &Map = value.as_map().unwrap();
    assert_eq!(map.get_path("a.b"), Some(&Value::Int(1)));
    assert_eq!(map.get_path("a.c.d"), Some(&Value::Int(4)));
    assert_eq!(map.get_path("x.y.z"), Some(&Value::Int(5)));
    assert_eq!(map.get_path("a.c.q"), None);
}

#[test]
fn surrogate_escapes_follow_json() {
    assert_eq!(Value::parse(r#""\ud83d\ude00""#).unwrap(), Value::from("😀"));
    assert_eq!(Value::parse(r#""\ud83dx""#).unwrap(), Value::from("\u{fffd}x"));
    assert_eq!(
        Value::parse(r#""\ud83d\u0041""#).unwrap(),
        Value::from("\u{fffd}A")
    );
}
