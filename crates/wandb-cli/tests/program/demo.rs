//! `wb demo`: the tour ends by itself, and its commands work afterwards.

use crate::support::User;

#[test]
fn every_command_that_is_shown_can_be_repeated() {
    let user = User::new();
    let text = user.ok(&["demo", "--dir", "data"]);
    for part in [
        "sample data",
        "Which runs are best?",
        "┤",
        "as many as the server counts",
        "verified",
        "0 faults",
        "Go on",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(commands.len(), 6, "{text}");
    // The run that is looked at is the best of those that have just been listed.
    let run = commands[1].rsplit('/').next().unwrap();
    let best = text.lines().skip_while(|line| !line.starts_with("ID ")).nth(1);
    assert!(best.is_some_and(|line| line.starts_with(run)), "{run}\n{text}");
    for command in commands {
        let output = std::process::Command::new("sh")
            .args(["-c", command])
            .current_dir(user.home())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", user.home())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{stderr}");
    }
    // A second tour on the same directory finds the same project.
    let again = user.ok(&["demo", "--dir", "data", "--quiet"]);
    assert!(again.contains("60 runs"), "{again}");
}

#[test]
fn a_clean_tour_leaves_nothing() {
    let user = User::new();
    let dir = user.path("tmp");
    std::fs::create_dir(&dir).unwrap();
    let output = user
        .command(&["demo", "--clean"])
        .env("TMPDIR", &dir)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
    for (option, value) in [
        ("--base-url", "http://example.com"),
        ("--local", "data"),
        ("--profile", "work"),
        ("--entity", "team"),
        ("--project", "vision"),
        ("--output", "json"),
        ("--output", "csv"),
    ] {
        user.fails(&["demo", option, value], 2, &[option, "--dir"]);
    }
}
