//! History: a sample that says so, and scans of every row.

use serde_json::{Value, json};

use crate::read::{filled, lines};
use crate::support::{User, files_below};

#[test]
fn a_scan_gives_every_row_and_keeps_five_things_apart() {
    let server = filled();
    let user = User::of(&server);
    let rows = user.json(&["run", "scan", "team/vision/alpha", "--page-size", "2"]);
    let rows = rows.as_array().unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| row["_step"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        [0, 1, 2, 3, 1_000_000_007]
    );
    assert_eq!(rows[0]["loss"], json!(1.0));
    assert_eq!(rows[1]["loss"], "NaN");
    assert!(rows[1].get("acc").is_none(), "what was not logged is absent");
    assert_eq!(rows[2]["loss"], "Infinity");
    assert!(
        rows[3].get("loss").is_some_and(Value::is_null),
        "a logged null is null"
    );
    assert_eq!(rows[3]["acc"], "-Infinity");
    assert_eq!(rows[4]["hist"]["bins"], json!([0, 1, 2]));

    let csv = user.ok(&["run", "scan", "team/vision/alpha", "-o", "csv"]);
    let header = lines(&csv)[0];
    let mut columns: Vec<&str> = header.split(',').collect();
    assert_eq!(columns[0], "_step");
    columns.sort_unstable();
    assert_eq!(columns, ["_runtime", "_step", "acc", "hist", "loss", "note"]);
    assert_eq!(lines(&csv).len(), 6);
    assert!(csv.contains("\"a,b\""), "{csv}");

    let all = user.ok(&[
        "run",
        "scan",
        "team/vision/alpha",
        "--keys",
        "loss,acc",
        "-o",
        "csv",
    ]);
    assert!(all.starts_with("_step,loss,acc\n0,1"), "{all}");
    let any = user.ok(&[
        "run",
        "scan",
        "team/vision/alpha",
        "--any-keys",
        "acc,note",
        "-o",
        "jsonl",
    ]);
    assert_eq!(any.lines().count(), 3, "{any}");
    // A misspelled key gives no rows, and says so.
    let typo = user.run(&[
        "run",
        "scan",
        "team/vision/alpha",
        "--keys",
        "acc,losss",
        "-o",
        "jsonl",
    ]);
    assert_eq!((typo.code, typo.stdout.as_str()), (0, ""));
    assert!(
        typo.stderr.contains("\"losss\" was never logged"),
        "{}",
        typo.stderr
    );
    assert!(!typo.stderr.contains("\"acc\""), "{}", typo.stderr);
    let range = user.ok(&[
        "run",
        "scan",
        "team/vision/alpha",
        "--min-step",
        "1",
        "--max-step",
        "3",
        "-o",
        "jsonl",
    ]);
    assert_eq!(range.lines().count(), 2, "{range}");
    let none = user.json(&["run", "scan", "team/vision/gamma"]);
    assert_eq!(none, json!([]));
    for verb in ["scan", "history"] {
        assert_eq!(
            user.ok(&["run", verb, "team/vision/gamma", "-o", "csv"]),
            "_step\n"
        );
    }
    let table = user.ok(&["run", "scan", "team/vision/alpha"]);
    assert_eq!(lines(&table).len(), 6, "{table}");
}

#[test]
fn a_scan_into_a_file_is_whole_or_nothing() {
    let server = filled();
    let user = User::of(&server);
    let finished = user.run(&["run", "scan", "team/vision/alpha", "--out", "rows.jsonl"]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (0, ""),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("wrote 5 rows"), "{}", finished.stderr);
    let written = std::fs::read_to_string(user.path("rows.jsonl")).unwrap();
    assert_eq!(
        written,
        user.ok(&["run", "scan", "team/vision/alpha", "-o", "jsonl"])
    );
    user.ok(&["run", "scan", "team/vision/alpha", "--out", "rows.csv"]);
    let written = std::fs::read_to_string(user.path("rows.csv")).unwrap();
    assert_eq!(
        written,
        user.ok(&["run", "scan", "team/vision/alpha", "-o", "csv"])
    );

    user.fails(
        &["run", "scan", "team/vision/beta", "--out", "rows.csv"],
        7,
        &["rows.csv", "exists", "--replace"],
    );
    assert_eq!(std::fs::read_to_string(user.path("rows.csv")).unwrap(), written);
    user.ok(&[
        "run",
        "scan",
        "team/vision/beta",
        "--out",
        "rows.csv",
        "--replace",
    ]);
    // A run without rows leaves the header, as Parquet has the column.
    assert_eq!(std::fs::read_to_string(user.path("rows.csv")).unwrap(), "_step\n");
    for name in ["rows.parquet", "rows.arrow"] {
        user.ok(&["run", "scan", "team/vision/alpha", "--out", name]);
        user.fails(
            &["run", "scan", "team/vision/alpha", "--out", name],
            7,
            &[name, "--replace"],
        );
        let magic = std::fs::read(user.path(name)).unwrap()[..4].to_vec();
        assert!(magic == b"PAR1" || magic == b"ARRO", "{magic:?}");
    }
    assert_eq!(
        files_below(user.home()),
        ["rows.arrow", "rows.csv", "rows.jsonl", "rows.parquet"]
    );
}

#[test]
fn history_says_that_it_is_a_sample() {
    let server = filled();
    let user = User::of(&server);
    let whole = user.run(&["run", "history", "team/vision/alpha", "-o", "jsonl"]);
    assert_eq!(whole.stdout.lines().count(), 5, "{}", whole.stderr);
    let sample = user.run(&[
        "run",
        "history",
        "team/vision/alpha",
        "--samples",
        "2",
        "-o",
        "jsonl",
    ]);
    assert!(sample.stdout.lines().count() < 5, "{}", sample.stdout);
    assert!(
        sample.stderr.contains("of 5 rows, chosen by the server"),
        "{}",
        sample.stderr
    );
    let keys = user.ok(&[
        "run",
        "history",
        "team/vision/alpha",
        "--keys",
        "acc",
        "-o",
        "csv",
    ]);
    assert!(keys.starts_with("_step,acc\n"), "{keys}");
    for (arguments, key) in [
        (&["--keys", "acc,zzz"][..], "zzz"),
        (&["--keys", "acc", "--x-axis", "nope"], "nope"),
    ] {
        let typo = user.run(&[&["run", "history", "team/vision/alpha"][..], arguments].concat());
        assert_eq!(typo.code, 0, "{}", typo.stderr);
        let told = format!("{key:?} was never logged");
        assert!(typo.stderr.contains(&told), "{}", typo.stderr);
        assert_eq!(typo.stderr.matches("never logged").count(), 1, "{}", typo.stderr);
    }
    assert_eq!(
        user.json(&["run", "history", "team/vision/alpha", "--stream", "system"]),
        json!([])
    );
}
