//! `--names`: what is said of names that not every system can hold, and who takes them.

use crate::support::{Server, User};

const PUT: [&str; 6] = ["artifact", "put", "--name", "team/p/odd", "--type", "dataset"];
const DOWNLOAD: [&str; 5] = ["artifact", "download", "team/p/odd", "--root", "back"];
const VERIFY: [&str; 5] = ["artifact", "verify", "team/p/odd", "--root", "back"];
const SYSTEM: [&str; 2] = ["--names", "system"];

#[test]
fn names_that_only_some_systems_can_hold_are_told_and_taken_on_request() {
    let server = Server::start(&["--entity", "team"]);
    let user = User::of(&server);
    user.ok(&["project", "create", "team/p"]);
    std::fs::create_dir(user.path("odd")).unwrap();
    for name in ["A.txt", "a.txt", "aux.py", "fine"] {
        std::fs::write(user.path("odd").join(name), name).unwrap();
    }

    // Logged with one warning that names them.
    let put = user.run(&[&PUT[..], &["odd"]].concat());
    assert_eq!(put.code, 0, "{}", put.stderr);
    assert_eq!(
        put.stderr.matches("not every system can hold").count(),
        1,
        "{}",
        put.stderr
    );
    for name in ["aux.py", "\"a.txt\" and \"A.txt\"", "--names system"] {
        assert!(put.stderr.contains(name), "{}", put.stderr);
    }
    // A name that leads elsewhere is not, and nobody blames the server for it.
    std::fs::write(user.path("x:1"), "").unwrap();
    let refused = user.run(&[&PUT[..], &["x:1"]].concat());
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("drive letter"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("the server"), "{}", refused.stderr);

    user.fails(&DOWNLOAD, 7, &["aux.py", "--names system"]);
    assert!(!user.path("back").exists());
    user.fails(
        &["artifact", "get", "team/p/odd", "aux.py", "--root", "one"],
        7,
        &["aux.py"],
    );
    user.ok(&[&DOWNLOAD[..], &["--prefix", "fine"]].concat());
    user.ok(&[&DOWNLOAD[..], &SYSTEM].concat());
    for name in ["A.txt", "a.txt", "aux.py", "fine"] {
        assert_eq!(
            std::fs::read_to_string(user.path("back").join(name)).unwrap(),
            name
        );
    }
    user.ok(&[
        &["artifact", "get", "team/p/odd", "aux.py", "--root", "one"],
        &SYSTEM[..],
    ]
    .concat());
    user.ok(&[
        &["artifact", "checkout", "team/p/odd", "--root", "back", "--yes"],
        &SYSTEM[..],
    ]
    .concat());

    user.ok(&[&VERIFY[..], &SYSTEM].concat());
    let verified = user.run(&[&VERIFY[..], &["--output", "jsonl"]].concat());
    assert_eq!(verified.code, 5, "{}", verified.stderr);
    assert!(verified.stderr.contains("--names system"), "{}", verified.stderr);
    let rows: Vec<serde_json::Value> = verified
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row["path"].as_str().unwrap(), row["fault"].as_str().unwrap()))
        .collect();
    assert_eq!(rows, [("a.txt", "name"), ("aux.py", "name")]);
}

#[test]
fn the_files_of_a_run_are_taken_by_this_system_unless_told_otherwise() {
    let server = Server::start(&["--entity", "team"]);
    let user = User::of(&server);
    user.ok(&["project", "create", "team/p"]);
    user.ok(&["run", "create", "team/p/r1"]);
    for name in ["B.txt", "b.txt", "12:30.log"] {
        std::fs::write(user.path(name), name).unwrap();
    }
    user.ok(&["run", "upload", "team/p/r1", "B.txt", "b.txt", "12:30.log"]);
    let portable = [
        "run",
        "download",
        "team/p/r1",
        "--root",
        "no",
        "--names",
        "portable",
    ];
    user.fails(&portable, 7, &["B.txt", "--names system"]);
    assert!(!user.path("no").exists());
    let taken = user.run(&["run", "download", "team/p/r1", "--root", "back"]);
    assert_eq!(taken.code, 0, "{}", taken.stderr);
    assert!(
        taken.stderr.contains("not every system can hold"),
        "{}",
        taken.stderr
    );
    for name in ["B.txt", "b.txt", "12:30.log"] {
        assert_eq!(
            std::fs::read_to_string(user.path("back").join(name)).unwrap(),
            name
        );
    }
}
