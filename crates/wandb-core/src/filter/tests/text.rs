//! The text grammar: laws, forms, and what each mistake is answered with.

use proptest::prelude::*;
use serde_json::json;

use crate::filter::{
    Filter, FilterErrorKind, Literal, MAX_DEPTH, Predicate, RunAttribute, config, created_at, display_name,
    id, metric, state, strategies, summary, tags,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn reading_what_was_printed_gives_the_same_filter(filter in strategies::filter()) {
        let text = filter.to_string();
        prop_assert_eq!(&Filter::parse(&text).unwrap(), &filter, "{}", text);
        prop_assert_eq!(&Filter::parse_any(&text).unwrap(), &filter, "{}", text);
    }

    #[test]
    fn raw_parts_survive_too(filter in strategies::filter(), key in any::<String>(), value in any::<i64>()) {
        let filter = filter & Filter::raw_json(json!({key: {"$new": [value, null, 0.1]}})).unwrap();
        let text = filter.to_string();
        prop_assert_eq!(&Filter::parse(&text).unwrap(), &filter, "{}", text);
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in any::<String>()) {
        if let Err(error) = Filter::parse_any(&text) {
            prop_assert!(!error.to_string().is_empty());
            let _ = error.caret();
        }
    }

    #[test]
    fn words_in_any_order_are_a_filter_or_an_error(
        words in prop::collection::vec(prop::sample::select(vec![
            "(", ")", "[", "]", ",", "and", "or", "not", "in", "exists", "all", "json", "{}", "{\"a\":1}", "is", "null",
            "state", "config.a", "tags", "=", ">", "=~", "has", "contains", "\"a\"", "1", "-0.5", "true", "'", "$", "~",
        ]), 0..12)
    ) {
        let text = words.join(" ");
        match Filter::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter),
            Err(error) => prop_assert!(error.offset().is_none_or(|offset| offset <= text.len())),
        }
    }
}

#[test]
fn reads_every_form() {
    for (text, filter) in [
        ("", Filter::everything()),
        ("  all ", Filter::everything()),
        (
            "config.lr > 0.01 and state = \"finished\"",
            config("lr").gt(0.01) & state().eq("finished"),
        ),
        (
            "config.lr>0.01&&state==\'finished\'",
            config("lr").gt(0.01) & state().eq("finished"),
        ),
        (
            "state = \"a\" OR state = \"b\" And config.x = 1",
            state().eq("a") | (state().eq("b") & config("x").eq(1)),
        ),
        (
            "(state = \"a\" or state = \"b\") and config.x = 1",
            (state().eq("a") | state().eq("b")) & config("x").eq(1),
        ),
        (
            "not (state = \"a\" or config.x > 1)",
            !(state().eq("a") | config("x").gt(1)),
        ),
        ("!config.x > 1", !config("x").gt(1)),
        (
            "config.x in [1, 2.0, \"a\", null,]",
            config("x").is_in([
                Literal::from(1),
                Literal::from(2.0),
                Literal::from("a"),
                Literal::Null,
            ]),
        ),
        ("config.x not in (1)", config("x").not_in([1])),
        (
            "config.x = [64, [1]]",
            config("x").eq(Literal::from(vec![Literal::from(64), Literal::from(vec![1])])),
        ),
        ("tags has \"x\"", tags().has("x")),
        ("\"x\" in tags", tags().has("x")),
        ("'x' not in tags", tags().ne("x")),
        ("tags not has \"x\"", tags().ne("x")),
        ("display_name =~ \"^foo\"", display_name().matches("^foo")),
        ("displayName matches \"^foo\"", display_name().matches("^foo")),
        ("display_name !~ \"^foo\"", !display_name().matches("^foo")),
        (
            "display_name not contains \"foo\"",
            !display_name().contains("foo"),
        ),
        ("config.lr exists", config("lr").exists()),
        ("exists(config.lr)", config("lr").exists()),
        ("config.lr not exists", config("lr").is_missing()),
        ("not exists config.lr", config("lr").is_missing()),
        ("config.lr is null", config("lr").eq(Literal::Null)),
        ("config.lr is not null", config("lr").ne(Literal::Null)),
        ("config.\"a b\".c = true", config("a b.c").eq(true)),
        ("config.'a\\'b' = False", config("a'b").eq(false)),
        ("summary.val/top-1 >= .5", summary("val/top-1").gte(0.5)),
        ("summary_metrics.loss < 1e-3", summary("loss").lt(1e-3)),
        ("keys_info.keys.loss exists", metric("loss").exists()),
        ("keys_info.loss exists", metric("loss").exists()),
        ("0.1 < config.lr <= 1", config("lr").gt(0.1) & config("lr").lte(1)),
        ("5 >= config.n", config("n").lte(5)),
        ("config.n = 18446744073709551615", config("n").eq(u64::MAX)),
        ("config.n = -3", config("n").eq(-3)),
        ("summary.loss = NaN", summary("loss").eq(f64::NAN)),
        ("summary.loss = -Infinity", summary("loss").eq(f64::NEG_INFINITY)),
        ("created_at >= 2024-01-31", created_at().gte("2024-01-31")),
        (
            "created_at >= 2024-01-31T12:00:00Z",
            created_at().gte("2024-01-31T12:00:00Z"),
        ),
        ("id = \"abc\"", id().eq("abc")),
        (
            "name = \"abc\"",
            Filter::condition(RunAttribute::Name, Predicate::Eq("abc".into())),
        ),
        ("config.x = \"\\u00e9\\ud83d\\ude00\\n\"", config("x").eq("é😀\n")),
        (
            "json {\"a\": {\"$new\": 1}} and state = \"a\"",
            Filter::raw_json(json!({"a": {"$new": 1}})).unwrap() & state().eq("a"),
        ),
    ] {
        assert_eq!(Filter::parse(text).unwrap(), filter, "{text}");
    }
}

#[test]
fn prints_canonical_text() {
    for (filter, text) in [
        (Filter::everything(), "all"),
        (Filter::nothing(), "name in []"),
        (id().not_in(Vec::<Literal>::new()), "name not in []"),
        (
            config("lr").gt(0.01) & state().eq("finished"),
            "config.lr > 0.01 and state = \"finished\"",
        ),
        (
            (state().eq("a") | tags().has("x")) & config("a b").exists(),
            "(state = \"a\" or tags has \"x\") and config.\"a b\" exists",
        ),
        (!(config("x").gt(1.0)), "not config.x > 1.0"),
        (
            !(config("x").eq(1) & config("y").is_missing()),
            "not (config.x = 1 and config.y not exists)",
        ),
        (summary("loss").not_in([1, 2]), "summary.loss not in [1, 2]"),
    ] {
        assert_eq!(filter.to_string(), text);
    }
}

#[test]
fn mistakes_have_a_place_and_a_hint() {
    use FilterErrorKind::{InvalidRegex, InvalidTime, Syntax, UnknownField, WrongValue};
    for (text, kind, offset, hint) in [
        ("stat = \"x\"", UnknownField, 0, "\"state\""),
        ("config.lr > 1 and lr = 2", UnknownField, 18, "config.lr"),
        ("summry.loss = 1", UnknownField, 0, "\"summary.loss\""),
        ("config.lr > ", Syntax, 12, ""),
        ("config.lr", Syntax, 9, "operators are"),
        ("config.lr lk 1", Syntax, 10, "operators are"),
        ("config.lr containz 1", Syntax, 10, "\"contains\""),
        ("config.lr LIKE 'x'", Syntax, 10, "contains"),
        ("state = finished", Syntax, 8, "\"finished\""),
        ("state = \"x", Syntax, 8, ""),
        ("state = \"\\x\"", Syntax, 9, "twice"),
        ("(state = \"x\"", Syntax, 12, ""),
        ("state = \"x\" state", Syntax, 12, ""),
        ("\"x\" = state", Syntax, 4, "on the left"),
        ("config. = 1", Syntax, 7, "quotes"),
        ("config.x = 1-2", Syntax, 11, "quotes"),
        ("config.x = 1e999", Syntax, 11, ""),
        ("config.x > null", WrongValue, 11, ""),
        ("config.x =~ 1", WrongValue, 12, ""),
        ("name =~ \"(\"", InvalidRegex, 8, "RE2"),
        ("created_at > 5", InvalidTime, 13, "2024"),
        ("config.$x = 1", Syntax, 7, "quotes"),
        ("$gt", Syntax, 0, "JSON"),
        ("config.x ~ 'a'", Syntax, 9, "=~"),
        ("json [1]", Syntax, 5, ""),
        ("json {\"a\":}", Syntax, 10, ""),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert_eq!(error.offset(), Some(offset), "{text}: {error}");
        assert!(
            error.hints().concat().contains(hint),
            "{text}: {:?}",
            error.hints()
        );
    }
}

#[test]
fn the_caret_points_at_the_place() {
    let error = Filter::parse("config.é = 1 and stat = 2").unwrap_err();
    assert_eq!(error.to_string(), "unknown field \"stat\" at column 18");
    assert_eq!(
        error.caret().unwrap(),
        format!("config.é = 1 and stat = 2\n{}^", " ".repeat(17))
    );
    let long = format!("{} and stat = 2\nand x", vec!["config.x = 1"; 40].join(" and "));
    let caret = Filter::parse(&long).unwrap_err().caret().unwrap();
    let (line, mark) = caret.split_once('\n').unwrap();
    let column = mark.chars().count() - 1;
    assert_eq!(line.chars().skip(column).collect::<String>(), "stat = 2");
    assert!(line.chars().count() < 130);
}

#[test]
fn depth_is_limited() {
    for text in [
        format!("{}state = \"x\"{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{}state = \"x\"", "not ".repeat(50_000)),
        format!("config.x = {}", "[".repeat(50_000)),
    ] {
        assert_eq!(Filter::parse(&text).unwrap_err().kind(), FilterErrorKind::TooDeep);
    }
    let mut deepest = state().eq("x");
    for _ in 0..MAX_DEPTH / 2 {
        deepest = !(deepest & config("x").gt(1));
    }
    assert!(deepest.check().is_ok());
    assert_eq!(Filter::parse(&deepest.to_string()).unwrap(), deepest);
}
