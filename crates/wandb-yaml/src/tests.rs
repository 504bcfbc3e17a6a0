//! PyYAML's own answers, and texts that nobody should write.

use proptest::prelude::*;

use super::*;

/// What `yaml.safe_load` of PyYAML 6 makes of these scalars; `None` is the text itself.
fn answers() -> Vec<(&'static str, Option<Yaml>)> {
    use Yaml::{BigInt, Bool, Float, Int, Null};
    vec![
        ("y", None),
        ("n", None),
        ("Y", None),
        ("N", None),
        ("yes", Some(Bool(true))),
        ("no", Some(Bool(false))),
        ("on", Some(Bool(true))),
        ("off", Some(Bool(false))),
        ("Yes", Some(Bool(true))),
        ("NO", Some(Bool(false))),
        ("On", Some(Bool(true))),
        ("OFF", Some(Bool(false))),
        ("true", Some(Bool(true))),
        ("True", Some(Bool(true))),
        ("TRUE", Some(Bool(true))),
        ("tRUE", None),
        ("false", Some(Bool(false))),
        ("null", Some(Null)),
        ("Null", Some(Null)),
        ("~", Some(Null)),
        ("~x", None),
        ("1e3", None),
        ("1E5", None),
        ("1e-3", None),
        ("12e4", None),
        ("1.5e3", None),
        ("1.5e+3", Some(Float(1500.0))),
        ("1.5E-3", Some(Float(0.0015))),
        ("1.", Some(Float(1.0))),
        ("1.e+2", Some(Float(100.0))),
        (".5", Some(Float(0.5))),
        ("-.5", None),
        ("+.5", None),
        (".5e-1", Some(Float(0.05))),
        ("._5", None),
        ("-1.5", Some(Float(-1.5))),
        ("+1.5", Some(Float(1.5))),
        ("1_000.5", Some(Float(1000.5))),
        ("1._5", Some(Float(1.5))),
        ("0", Some(Int(0))),
        ("-0", Some(Int(0))),
        ("+0", Some(Int(0))),
        ("00", Some(Int(0))),
        ("007", Some(Int(7))),
        ("017", Some(Int(15))),
        ("08", None),
        ("0o17", None),
        ("0x1F", Some(Int(31))),
        ("0X1f", None),
        ("0x", None),
        ("0b101", Some(Int(5))),
        ("0b2", None),
        ("-0x10", Some(Int(-16))),
        ("-017", Some(Int(-15))),
        ("12:30", Some(Int(750))),
        ("12:60", None),
        ("1:2:3", Some(Int(3723))),
        ("-1:30", Some(Int(-90))),
        ("1:30.5", Some(Float(90.5))),
        ("1:30.", Some(Float(90.0))),
        ("190:20:30.15", Some(Float(685230.15))),
        ("1_000", Some(Int(1000))),
        ("_1", None),
        ("1__0", Some(Int(10))),
        ("1_", Some(Int(1))),
        (".inf", Some(Float(f64::INFINITY))),
        ("-.inf", Some(Float(-f64::INFINITY))),
        ("+.Inf", Some(Float(f64::INFINITY))),
        (".nan", Some(Float(f64::NAN))),
        (".NaN", Some(Float(f64::NAN))),
        ("-.nan", None),
        ("nan", None),
        ("inf", None),
        ("1.0e+30", Some(Float(1e+30))),
        ("1e+30", None),
        (
            "1000000000000000000000000000000",
            Some(BigInt("1000000000000000000000000000000".into())),
        ),
        ("9223372036854775807", Some(Int(9223372036854775807))),
        ("9223372036854775808", Some(BigInt("9223372036854775808".into()))),
        (
            "-9223372036854775809",
            Some(BigInt("-9223372036854775809".into())),
        ),
        ("0_", Some(Int(0))),
        ("0_7", Some(Int(7))),
        ("-", None),
        ("--", None),
        ("+", None),
        (".", None),
        ("..", None),
        ("1.2.3", None),
        ("5.", Some(Float(5.0))),
        ("0.0", Some(Float(0.0))),
        ("0.1e", None),
        ("1.e5", None),
        ("a:b", None),
        ("1:2.5:3", None),
        ("01:30", None),
        ("1:030", None),
        ("0:30", None),
        ("2.5_", Some(Float(2.5))),
        (
            "18446744073709551615",
            Some(BigInt("18446744073709551615".into())),
        ),
        ("123abc", None),
        ("1.0e+400", Some(Float(f64::INFINITY))),
    ]
}

/// Equal, where a NaN is itself.
fn same(left: &Yaml, right: &Yaml) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

fn first(text: &str) -> Yaml {
    match read(text, &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}")) {
        Yaml::Map(mut entries) => entries.remove(0).1,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn scalars_are_what_pyyaml_says() {
    for (scalar, expected) in answers() {
        let expected = expected.unwrap_or_else(|| Yaml::Text(scalar.to_owned()));
        // In a flow sequence, as a value in a block, with a comment behind it, and in a block sequence.
        for (text, in_list) in [
            (format!("k: [{scalar}]"), true),
            (format!("k: [ä, {scalar} , x]"), true),
            (format!("k: {scalar}\n"), false),
            (format!("k: {scalar} # one\n"), false),
            (format!("k:\n  - {scalar}\n"), true),
        ] {
            if scalar == "-" {
                continue; // the mark of a sequence, but for some places
            }
            let found = match first(&text) {
                Yaml::List(mut items) if in_list => items.remove(usize::from(text.contains('ä'))),
                other => other,
            };
            assert!(same(&found, &expected), "{text:?}: {found:?} for {expected:?}");
        }
    }
}

#[test]
fn quotes_tags_and_blocks_say_what_a_scalar_is() {
    let text = |text: &str| Yaml::Text(text.to_owned());
    for (document, expected) in [
        ("k: 'yes'", text("yes")),
        ("k: \"017\"", text("017")),
        ("k: '1.0'", text("1.0")),
        ("k: !!str 5", text("5")),
        ("k: !!str\n  5", text("5")),
        ("k: !!str &a on", text("on")),
        ("k: &a !!str 017", text("017")),
        ("k: !mine 12:30", text("12:30")),
        ("k: !!int '5'", Yaml::Int(5)),
        ("k: !!float 5", Yaml::Float(5.0)),
        ("k: |\n  no\n", text("no\n")),
        ("k: >-\n  no\n", text("no")),
        ("\"a #b\": |- # as it is\n  017\n", text("017")),
        ("k: # one\n  017\n", Yaml::Int(15)),
        ("k: one\n  two", text("one two")),
        ("k: 2020-01-01", text("2020-01-01")),
        ("k: ''", text("")),
        ("k:", Yaml::Null),
        ("k: &a off", Yaml::Bool(false)),
    ] {
        assert_eq!(first(document), expected, "{document:?}");
    }
}

#[test]
fn aliases_and_merges_say_what_their_anchors_say() {
    let Yaml::Map(entries) = read(
        "a: &a 017\nb: *a\nbase: &base {x: on, y: 1e3}\nc:\n  <<: *base\n  z: n\n",
        &Limits::default(),
    )
    .unwrap() else {
        panic!()
    };
    assert_eq!(entries[0].1, Yaml::Int(15));
    assert_eq!(entries[1].1, Yaml::Int(15));
    let Yaml::Map(merged) = &entries[3].1 else {
        panic!()
    };
    let get = |key: &str| {
        merged
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    };
    assert_eq!(get("x"), Some(&Yaml::Bool(true)));
    assert_eq!(get("y"), Some(&Yaml::Text("1e3".into())));
    assert_eq!(get("z"), Some(&Yaml::Text("n".into())));
}

#[test]
fn limits_hold() {
    let limits = Limits {
        bytes: 100,
        values: 10,
        depth: 4,
    };
    assert!(read("a: [1, 2, 3]", &limits).is_ok());
    assert_eq!(
        read(&"x".repeat(101), &limits),
        Err(ReadError::TooLong {
            found: 101,
            limit: 100
        })
    );
    for text in [
        "[1,2,3,4,5,6,7,8,9,10,11]",
        "[[[[[[1]]]]]]",
        "a: &a [1,2,3]\nb: [*a,*a,*a,*a]",
        "a: 1\n---\nb: 2",
    ] {
        assert!(
            matches!(read(text, &limits), Err(ReadError::Invalid(_))),
            "{text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_is_a_value_or_an_error(text in "[a-c:\\-\\[\\]{}&*!|>#'\",\\n 01.~<_eä]{0,60}") {
        if let Err(error) = read(&text, &Limits::default()) {
            prop_assert!(!error.to_string().contains('\n') && error.to_string().len() <= 800);
        }
    }

    #[test]
    fn any_scalar_resolves(text in "[-+]?[0-9_]{0,4}[.:xbo]?[0-9_]{0,4}[.:eE]?[-+]?[0-9]{0,40}") {
        match plain::resolve(&text) {
            Yaml::Text(same) => prop_assert_eq!(same, text),
            Yaml::BigInt(digits) => {
                prop_assert!(digits.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()));
            }
            _ => {}
        }
    }
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_who_wrote_it() {
    let limits = Limits {
        depth: 8,
        ..Limits::default()
    };
    for (text, words) in [
        (": : :", "a key is missing or null"),
        ("~: 1", "a key is missing or null"),
        ("[1]: x", "keys have to be texts"),
        ("{a: 1}: x", "keys have to be texts"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("a: *x", "an alias names an anchor"),
        ("a: &a [*a]", "alias"),
        ("[[[[[[[[[[[[1]]]]]]]]]]]]", "too large or nested too deeply"),
        ("a: [1", "line 1"),
        ("a: \"x", "line 1"),
        ("a:\n\t- 1", "line 2"),
    ] {
        let said = read(text, &limits).unwrap_err().to_string();
        assert!(said.contains(words), "{text:?}: {said}");
        for jargon in ["deserialize", "Option<", "serde", "breach", "policy", "Options"] {
            assert!(!said.contains(jargon), "{text:?}: {said}");
        }
    }
}
