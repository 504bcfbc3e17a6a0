//! Python's readings as a table, and the laws of reading and writing.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<BTreeMap<String, String>, IniError> {
    Ini::parse(text)?
        .section("default")
        .unwrap_or(Ok(BTreeMap::new()))
}

/// What Python's `configparser` makes of the section `default` of the same texts.
#[test]
fn files_are_read_as_python_reads_them() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("", &[]),
        (
            "[default]\nbase_url = http://x:80/a\n",
            &[("base_url", "http://x:80/a")],
        ),
        (
            "[default]\nENTITY=e\nproject: p:q\n",
            &[("entity", "e"), ("project", "p:q")],
        ),
        (
            "# c\n; d\n[default]\na = 1 # not a comment\n  # indented comment\nb = 2\n",
            &[("a", "1 # not a comment"), ("b", "2")],
        ),
        (
            "[default]\na = 1\n  2\n\n  3\nb=4",
            &[("a", "1\n2\n\n3"), ("b", "4")],
        ),
        (
            "[DEFAULT]\nentity = d\n[default]\nproject=%(entity)s-p\n",
            &[("entity", "d"), ("project", "d-p")],
        ),
        ("[default]\na=50%%\n", &[("a", "50%")]),
        ("[Default]\na=1", &[]),
        ("[default] junk\na=1", &[("a", "1")]),
        ("[a]b]\nx=1\n[default]\ny=2", &[("y", "2")]),
        ("\n\n  [default]\n  a = 1\n  b = 2\n", &[("a", "1"), ("b", "2")]),
        ("[default]\na =\nb = 1", &[("a", ""), ("b", "1")]),
        ("[default]\r\na = 1\r\n", &[("a", "1")]),
        (
            "[DEFAULT]\nx=1\n[DEFAULT]\ny=2\n[default]\nz=3",
            &[("x", "1"), ("y", "2"), ("z", "3")],
        ),
        ("[default]\na b = c\n", &[("a b", "c")]),
        ("[default]\na = \"q\"\n", &[("a", "\"q\"")]),
        ("[default]\na: = b\n", &[("a", "= b")]),
        ("[default]\na = 1\n\n\nb = 2\n", &[("a", "1"), ("b", "2")]),
        ("[default]\n\ta = 1\n  b = 2\n", &[("a", "1\nb = 2")]),
        ("[default]\na=1\n [x]\n", &[("a", "1\n[x]")]),
        // Not as Python, which stops at these.
        ("[default]\na=50% of\n", &[("a", "50% of")]),
        ("\u{feff}[default]\na=1\n", &[("a", "1")]),
    ];
    for (text, expected) in cases {
        let expected = expected
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(read(text), Ok(expected), "{text:?}");
    }
    for (text, error) in [
        ("[default]\na=1\na=2", IniError::DuplicateKey { line: 3 }),
        ("[default]\n[default]\n", IniError::DuplicateSection { line: 2 }),
        ("a=1", IniError::MissingSectionHeader { line: 1 }),
        ("[]\n[default]\n", IniError::MissingSectionHeader { line: 1 }),
        ("[default]\nnovalue\n", IniError::InvalidLine { line: 2 }),
        ("[default]\n=x\n", IniError::InvalidLine { line: 2 }),
        ("[default]\na=%(zz)s\n", IniError::Reference { key: "a".into() }),
        ("[default]\na=%(a)s", IniError::Reference { key: "a".into() }),
    ] {
        assert_eq!(read(text), Err(error.clone()), "{text:?}");
        assert!(!error.hints().is_empty());
    }
}

#[test]
fn references_cannot_blow_up() {
    let mut text = "[default]\nk0=\n".to_owned();
    for level in 1..9 {
        let references = format!("%(k{})s", level - 1).repeat(1000);
        text.push_str(&format!("k{level}={references}\n"));
    }
    assert!(matches!(read(&text), Err(IniError::Reference { .. })));
}

#[test]
fn only_the_named_lines_change() {
    let text = "# mine\n[other]\nentity = x\n\n[default]\n  # about a\n  entity = old\n      and more\n  mode = online\n\n[last]\nz = 1";
    let changes = [
        ("entity", Some("new")),
        ("project", Some("50%")),
        ("base_url", None),
    ];
    assert_eq!(
        set_values(text, "default", &changes).unwrap(),
        "# mine\n[other]\nentity = x\n\n[default]\n  # about a\n  entity = new\n  mode = online\n  project = 50%%\n\n[last]\nz = 1\n"
    );
    assert_eq!(
        set_values("", "default", &[("entity", Some("e"))]).unwrap(),
        "[default]\nentity = e\n"
    );
    assert_eq!(
        set_values("[a]\nx = 1", "b", &[("y", Some("2"))]).unwrap(),
        "[a]\nx = 1\n\n[b]\ny = 2\n"
    );
    assert_eq!(
        set_values("[a]\nx = 1\n", "b", &[("y", None)]).unwrap(),
        "[a]\nx = 1\n"
    );
    assert_eq!(
        set_values("[a]\nx = 1\ny = 2\n", "a", &[("x", None)]).unwrap(),
        "[a]\ny = 2\n"
    );
    for value in ["", " x", "x ", "a\nb", "a\0"] {
        assert!(
            set_values("", "default", &[("entity", Some(value))]).is_err(),
            "{value:?}"
        );
    }
    assert!(set_values("no section", "default", &[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_back_and_the_rest_stays(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "[default]", " [default]", "[x]", "  [y]", "a = 1", "  b = 2", "\tc = 3", "    more", "# comment", "", "  ; comment",
        ]), 0..10),
        key in "[a-d]", value in "[a-z0-9%=:#;\\[\\]() ]{0,10}[a-z0-9%]",
    ) {
        let text = pieces.join("\n");
        let Ok(before) = Ini::parse(&text) else { return Ok(()) };
        let value = value.trim();
        let written = set_values(&text, "default", &[(&key, Some(value))]).unwrap();
        let after = Ini::parse(&written).unwrap();
        let mut expected = before.section("default").unwrap_or(Ok(BTreeMap::new())).unwrap();
        expected.insert(key.clone(), value.to_owned());
        prop_assert_eq!(after.section("default").unwrap().unwrap(), expected);
        for section in ["x", "y"] {
            prop_assert_eq!(before.section(section), after.section(section));
        }
        prop_assert_eq!(written.matches("comment").count(), text.matches("comment").count());

        let removed = Ini::parse(&set_values(&written, "default", &[(&key, None)]).unwrap()).unwrap();
        let mut expected = before.section("default").unwrap_or(Ok(BTreeMap::new())).unwrap();
        expected.remove(&key);
        prop_assert_eq!(removed.section("default").unwrap().unwrap(), expected);
        for section in ["x", "y"] {
            prop_assert_eq!(before.section(section), removed.section(section));
        }
    }

    #[test]
    fn any_text_is_answered_without_panic(text in any::<String>(), like in "([a\\[\\]=:%()s \n#;]|%\\(a\\)s|\\[a\\])*") {
        for text in [text, like] {
            if let Ok(ini) = Ini::parse(&text) {
                for name in ini.section_names() {
                    let _ = ini.section(name).unwrap();
                }
            }
            let _ = set_values(&text, "a", &[("a", Some("b")), ("c", None)]);
        }
    }
}
