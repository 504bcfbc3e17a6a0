//! Which paths may become files, and what is told of the others.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wandb_core::{
    Error, ErrorKind,
    path::{NameFault, UnportableReason, clash_key},
};

use super::{faults::DESCRIBED, *};

fn faults(paths: &[&str]) -> Vec<String> {
    match PathReport::of(paths.iter().copied()).admit(NamePolicy::Portable) {
        Ok(()) => Vec::new(),
        Err(faults) => faults.faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn usual_paths_are_fine() {
    let paths = [
        "a",
        "a-b",
        "a.b/c",
        "a.b/d",
        "b/c/d/e",
        "b/c/f",
        "b/g",
        "ü/é",
        "日本.txt",
    ];
    assert_eq!(faults(&paths), Vec::<String>::new());
    assert_eq!(faults(&[]), Vec::<String>::new());
    // Directories that differ in case hold different files.
    assert_eq!(faults(&["A/x", "a/y"]), Vec::<String>::new());
    // One name twice is one file.
    assert_eq!(faults(&["b", "a", "b"]), Vec::<String>::new());
}

#[test]
fn every_hostile_path_is_told_at_once_whatever_the_policy() {
    let long = "x".repeat(256);
    let hostile = [
        "../x",
        "/etc/passwd",
        "C:/x",
        "a/../b",
        "..\\b",
        "a\0b",
        "a//b",
        "a/",
        "",
        "./a",
        &long,
        "f",
        "f/x",
        "F/y",
    ];
    for policy in [NamePolicy::Portable, NamePolicy::System] {
        let report = PathReport::of(hostile);
        assert_eq!(report.hostile().count, hostile.len() - 2, "{report:#?}");
        let error = Error::from(report.admit(policy).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(
            error
                .to_string()
                .starts_with("there are paths that cannot become files: unsafe path"),
            "{error}"
        );
        assert!(report.hostile().faults.iter().all(PathFault::is_hostile));
        let told: Vec<_> = report.hostile().faults.iter().map(ToString::to_string).collect();
        assert!(
            told.contains(&"\"f\" is a file and, for \"f/x\", a directory".to_owned()),
            "{told:#?}"
        );
    }
}

#[test]
fn what_another_system_could_not_hold_is_refused_unless_this_one_decides() {
    let odd = [
        "aux",
        "con.txt",
        "a\\b",
        "a ",
        "b.",
        "12:30.log",
        "q?",
        "line\nbreak",
    ];
    let report = PathReport::of(odd);
    assert_eq!(
        (report.hostile().count, report.unportable().count),
        (0, odd.len())
    );
    let refused = report.admit(NamePolicy::Portable).unwrap_err();
    // A character that Windows does not allow fails there in plain sight.
    assert_eq!(
        refused.count,
        if cfg!(windows) { odd.len() } else { odd.len() - 2 }
    );
    let error = Error::from(refused);
    assert_eq!(report.admit(NamePolicy::System).is_ok(), !cfg!(windows));
    if !cfg!(windows) {
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(
            error
                .to_string()
                .starts_with("there are names that not every system can hold: "),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("\"aux\": it is the name of a Windows device"),
            "{error}"
        );
        assert!(
            error.hints().iter().any(|hint| hint.contains("--names system")),
            "{error:?}"
        );
    }
}

#[test]
fn clashes_are_told_with_both_paths() {
    assert_eq!(
        faults(&["A/b", "a/B", "c"]),
        ["\"a/B\" and \"A/b\" are one file on some systems"]
    );
    assert_eq!(
        faults(&["e\u{301}", "\u{e9}"]),
        ["\"é\" and \"e\\u{301}\" are one file on some systems"]
    );
    assert_eq!(
        faults(&["a", "a-", "a/b/c"]),
        ["\"a\" is a file and, for \"a/b/c\", a directory"]
    );
    assert_eq!(
        faults(&["A/x", "a"]),
        ["\"a\" is a file and, for \"A/x\", a directory on some systems"]
    );
    // Of two faults of one file each is told as what it is: the second one is so on every system.
    assert_eq!(faults(&["A/x", "a", "a/y"]).len(), 2);
    assert_eq!(PathReport::of(["A/x", "a", "a/y"]).hostile().count, 1);
    assert_eq!(faults(&["Straße", "STRASSE", "x"]).len(), 1);
}

#[test]
fn very_many_faults_are_counted_and_few_described() {
    let paths: Vec<_> = (0..3_000).map(|number| format!("../{number}")).collect();
    let faults = PathReport::of(paths.iter().map(String::as_str))
        .admit(NamePolicy::System)
        .unwrap_err();
    assert_eq!((faults.count, faults.faults.len()), (3_000, DESCRIBED));
    assert!(faults.to_string().ends_with("and 2990 more"));
    assert!(faults.to_string().len() < 2_000);
    let all = PathReport::of_all(paths.iter().map(String::as_str));
    assert_eq!(all.hostile().faults.len(), 3_000);
}

#[test]
fn very_deep_paths_take_no_longer_than_flat_ones() {
    // With every beginning of every path cut out and compared, this would be hundreds of millions of bytes.
    let deep: Vec<_> = (0..60)
        .flat_map(|number| {
            let path = format!("{number}{}", "/a".repeat(1_500));
            [path.replace('a', "A") + "/x", path + "/y"]
        })
        .collect();
    let deep: Vec<_> = deep.iter().map(String::as_str).collect();
    assert_eq!(faults(&deep), Vec::<String>::new());
}

#[test]
fn the_disk_decides_which_clash_is_real_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("not/yet/there");
    std::fs::write(folder.path().join("case"), "").unwrap();
    let folds = folder.path().join("CASE").exists();
    for paths in [&["A.txt", "a.txt"][..], &["D/x", "d/x", "E/y"], &["d", "D/x"]] {
        let outcome = PathReport::of(paths.iter().copied()).check_disk(&target);
        assert_eq!(outcome.is_err(), folds, "{outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(error.to_string().contains("in each other's way"), "{error}");
        }
    }
    // What no system folds is not tried.
    PathReport::of(["A/x", "a/y"]).check_disk(&target).unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Told by every pair.
fn plain(paths: &BTreeSet<String>, is_counted: fn(UnportableReason) -> bool) -> (bool, bool) {
    let is_below = |file: &str, path: &str| path.starts_with(&format!("{file}/"));
    let pairs = || {
        let others = |path| paths.iter().filter(move |other| *other != path);
        paths
            .iter()
            .flat_map(move |path| others(path).map(move |other| (path, other)))
    };
    let is_hostile = |path: &String| matches!(NameFault::of(path), Some(NameFault::Hostile(_)));
    let is_odd = |path: &String| matches!(NameFault::of(path), Some(NameFault::Unportable(reason)) if is_counted(reason));
    let sound = |(one, other): &(&String, &String)| !is_hostile(one) && !is_hostile(other);
    let hostile =
        paths.iter().any(is_hostile) || pairs().filter(sound).any(|(file, path)| is_below(file, path));
    let clash = |(one, other): (&String, &String)| {
        let (left, right) = (clash_key(one), clash_key(other));
        let beginning: String = other.chars().take(one.chars().count()).collect();
        // Of an exact beginning the other kind speaks.
        left == right || (is_below(&left, &right) && beginning != *one)
    };
    (
        hostile,
        paths.iter().any(is_odd) || pairs().filter(sound).any(clash),
    )
}

proptest! {
    /// A plain, slow check of the same rules finds a fault of each kind exactly when this one does.
    #[test]
    fn faults_are_those_of_a_plain_check(
        paths in prop::collection::btree_set(
            prop_oneof![
                6 => "[aAbé]{1,2}(/[aAb]{1,2}){0,2}",
                1 => "[aA.:?/\\\\ ]{0,4}",
                1 => prop::sample::select(vec!["aux", "AUX/a", "a/nul.x", "e\u{301}", "\u{e9}/a", "ß", "SS"]).prop_map(str::to_owned),
            ],
            0..7,
        ),
    ) {
        let report = PathReport::of(paths.iter().map(String::as_str));
        let told = (!report.hostile().is_empty(), !report.unportable().is_empty());
        prop_assert_eq!(told, plain(&paths, |_| true));
        let (hostile, lost) = plain(&paths, |reason| reason.is_silent() || cfg!(windows));
        prop_assert_eq!(report.admit(NamePolicy::Portable).is_err(), hostile || lost);
        if !cfg!(windows) {
            prop_assert_eq!(report.admit(NamePolicy::System).is_err(), told.0);
        }
        // In whatever order, and twice.
        let again = PathReport::of(paths.iter().rev().chain(&paths).map(String::as_str));
        prop_assert_eq!((again.hostile(), again.unportable()), (report.hostile(), report.unportable()));
    }
}
