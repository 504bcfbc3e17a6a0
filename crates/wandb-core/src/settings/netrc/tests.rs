//! Python's readings as a table, and the laws of reading and writing.

use proptest::prelude::*;

use super::*;

/// Machine, login, account and password of each entry.
fn read(text: &str) -> Result<Vec<[String; 4]>, NetrcError> {
    let fields = |entry: &NetrcEntry| {
        [
            entry.machine(),
            entry.login(),
            entry.account(),
            entry.password().expose(),
        ]
        .map(str::to_owned)
    };
    Netrc::parse(text).map(|netrc| netrc.entries().iter().map(fields).collect())
}

/// What the `netrc` module of Python 3.11 makes of the same texts.
#[test]
fn files_are_read_as_python_reads_them() {
    let cases: &[(&str, &[[&str; 4]])] = &[
        ("", &[]),
        ("machine h login u password p", &[["h", "u", "", "p"]]),
        (
            "machine h\n  login user\n  password k\n",
            &[["h", "user", "", "k"]],
        ),
        (
            "machine h user u account a password p\nmachine i password q",
            &[["h", "u", "a", "p"], ["i", "", "", "q"]],
        ),
        ("default login u password p", &[["default", "u", "", "p"]]),
        ("# c\nmachine h password p\n", &[["h", "", "", "p"]]),
        (
            "# c d\nmachine h password p # trailing c\nmachine i password q",
            &[["h", "", "", "p"], ["i", "", "", "q"]],
        ),
        ("machine h # c password x\n password p", &[["h", "", "", "p"]]),
        ("machine h password #p", &[["h", "", "", "#p"]]),
        (
            "machine h password \"a b\\\"c\\\\d\"",
            &[["h", "", "", "a b\"c\\d"]],
        ),
        ("machine h password a\\ b", &[["h", "", "", "a b"]]),
        ("machine h password a\"b", &[["h", "", "", "a\"b"]]),
        (
            "macdef m\nline1\nmachine x\n\nmachine h password p",
            &[["h", "", "", "p"]],
        ),
        ("macdef m body\n\nmachine h password p", &[["h", "", "", "p"]]),
        ("machine h password", &[["h", "", "", ""]]),
        ("machine h login machine password p", &[["h", "machine", "", "p"]]),
        ("machine h:8080 password p", &[["h:8080", "", "", "p"]]),
        ("machine 'h' password p", &[["'h'", "", "", "p"]]),
        (
            "machine h password p\r\nmachine i password q\r\n",
            &[["h", "", "", "p"], ["i", "", "", "q"]],
        ),
        ("machine h password \"\" login x", &[["h", "x", "", ""]]),
        ("machine h password \"un closed", &[["h", "", "", "un closed"]]),
        (
            "machine h password p macdef m\nx\n\nmachine i password q",
            &[["h", "", "", "p"], ["i", "", "", "q"]],
        ),
        (
            "default password d machine i password q",
            &[["default", "", "", "d"], ["i", "", "", "q"]],
        ),
        ("machine h password p#q", &[["h", "", "", "p#q"]]),
        (
            "machine h login u\n#comment\npassword p\n",
            &[["h", "u", "", "p"]],
        ),
        // Not as Python, which stops at these.
        ("#c d\nmachine h password p", &[["h", "", "", "p"]]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).unwrap(), *expected, "{text:?}");
    }
    for (text, line) in [
        ("bad", 1),
        ("machine", 1),
        ("machine h foo bar", 1),
        ("machine \"\" password p", 1),
        ("machine h password \"p\"q", 1),
        ("machine h \"\" machine i password p", 1),
        ("\nmacdef m\nno end", 2),
        ("machine h password p\n\nhunter2 x", 3),
    ] {
        let error = read(text).unwrap_err();
        assert!(
            error.to_string().contains(&format!("line {line} ")),
            "{text:?} {error}"
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    assert_eq!(read(&" ".repeat(MAXIMUM_LENGTH + 1)), Err(NetrcError::TooLarge));
}

#[test]
fn the_last_entry_of_a_machine_counts() {
    let netrc = Netrc::parse("machine h password p\nmachine h password q").unwrap();
    assert_eq!(netrc.machine("h").unwrap().password().expose(), "q");
    assert!(netrc.machine("i").is_none());
    assert!(!format!("{netrc:?}").contains('q'));
}

#[test]
fn an_entry_is_replaced_where_it_stands_and_all_else_is_kept() {
    let set = |text: &str| set_entry(text, "h:1", "user", &Secret::new("k")).unwrap();
    let block = "machine h:1\n  login user\n  password k\n";
    assert_eq!(set(""), block);
    assert_eq!(set("# c"), format!("# c\n{block}"));
    assert_eq!(set("machine h:1 password old"), block);
    assert_eq!(
        set(
            "# a\nmachine x password y # b\nmachine h:1\n login l\n password old # z\nmachine h password w\n"
        ),
        format!("# a\nmachine x password y # b\n{block} # z\nmachine h password w\n")
    );
    assert_eq!(
        set("machine h:1 password a machine x password y\nmachine h:1 password b\n# end\n"),
        format!("{block} machine x password y\n# end\n")
    );
    assert_eq!(
        set("machine x password y\ndefault password d"),
        format!("machine x password y\n{block}default password d")
    );
    assert_eq!(
        set("default password d\nmachine h:1 password old\n"),
        format!("default password d\n{block}")
    );
    assert_eq!(
        set("macdef init\n cd x\n\n"),
        format!("macdef init\n cd x\n\n{block}")
    );
    for (machine, password) in [
        ("", "k"),
        ("h", ""),
        ("h\n", "k"),
        ("h", "a\nmachine evil password b"),
    ] {
        assert!(set_entry("", machine, "user", &Secret::new(password)).is_err());
    }
    assert!(set_entry("not a netrc", "h", "user", &Secret::new("k")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_back_and_the_rest_stays(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "machine a login b password c\n", "machine a password \"d e\" ", "machine b\n\taccount f\n password g\n",
            "default login h password i ", "# comment\n", "macdef m\n  body\n\n", "machine c ", "machine b password j # x\n", "\n",
        ]), 0..8),
        machine in "(a|b|c|default|[a-z]{1,4}:[0-9]{2}|\\PC{1,6})", login in "\\PC{1,6}", password in "\\PC{1,12}",
    ) {
        let text = pieces.concat();
        let Ok(before) = read(&text) else { return Ok(()) };
        let written = set_entry(&text, &machine, &login, &Secret::new(password.as_str())).unwrap();
        let after = read(&written).unwrap();
        let of_others = |entries: &[[String; 4]]| -> Vec<[String; 4]> {
            entries.iter().filter(|entry| entry[0] != machine).cloned().collect()
        };
        prop_assert_eq!(of_others(&before), of_others(&after));
        let own: Vec<_> = after.iter().filter(|entry| entry[0] == machine).cloned().collect();
        let expected = vec![[machine.clone(), login.clone(), String::new(), password.clone()]];
        prop_assert_eq!(own, expected);
        prop_assert_eq!(written.matches("comment").count(), text.matches("comment").count());
        prop_assert_eq!(written.matches("body").count(), text.matches("body").count());
        let again = set_entry(&written, &machine, &login, &Secret::new(password.as_str())).unwrap();
        prop_assert_eq!(again, written);
    }

    #[test]
    fn any_text_is_answered_without_panic(text in any::<String>(), like in "(machine|default|password|macdef|[ \n\"\\\\#a])*") {
        for text in [text, like] {
            let _ = Netrc::parse(&text);
            let _ = set_entry(&text, "h", "l", &Secret::new("p"));
        }
    }
}
