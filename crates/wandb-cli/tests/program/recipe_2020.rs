//! The recipe of `docs/wb.md`: its commands are read from the page, run by a shell, and what they leave is looked at.

use std::path::Path;
use std::process::Command;

use crate::support::{Server, User, files_below};

const PAGE: &str = include_str!("../../../../docs/wb.md");

/// The text of the first fenced block after a heading.
fn block(page: &str, heading: &str) -> String {
    let mut lines = page.lines().skip_while(|line| *line != heading);
    let found: Vec<&str> = lines
        .by_ref()
        .skip_while(|line| *line != "```sh")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    assert!(!found.is_empty(), "there is no block below {heading:?}");
    found.join("\n")
}

#[test]
fn the_recipe_of_the_page_does_what_it_says() {
    // `wb demo` makes the sample project, `wb serve` serves it.
    let filler = User::new();
    let dir = tempfile::tempdir().unwrap();
    filler.ok(&["demo", "--quiet", "--dir", dir.path().to_str().unwrap()]);
    let server = Server::start_in(dir, &[]);
    let user = User::of(&server);

    let bin = Path::new(env!("CARGO_BIN_EXE_wb")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let recipe = block(PAGE, "### A whole evaluation, as a script");
    let output = Command::new("sh")
        .args(["-e", "-c", &recipe])
        .current_dir(user.home())
        .env_clear()
        .env("PATH", path)
        .env("HOME", user.home())
        .env("WANDB_BASE_URL", &server.url)
        .env("WANDB_API_KEY", &server.api_key)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");

    // Listed by the filter, the best first.
    let runs = user.json(&[
        "run",
        "list",
        "sample",
        "--filter",
        r#"{"state": "finished", "config.lr": {"$lte": 0.001}}"#,
        "--order",
        "+summary_metrics.val/loss",
    ]);
    let runs = runs.as_array().unwrap();
    let ids: Vec<&str> = runs.iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert!(ids.len() > 10, "{ids:?}");

    // Exported: a file a run, with every row that the server counts and a head.
    let mut expected: Vec<String> = ids.iter().map(|id| format!("{id}.csv")).collect();
    expected.sort();
    assert_eq!(files_below(&user.path("losses")), expected);
    for run in runs {
        let name = format!("losses/{}.csv", run["id"].as_str().unwrap());
        let text = std::fs::read_to_string(user.path(&name)).unwrap();
        assert_eq!(text.lines().next(), Some("_step,loss"), "{name}");
        assert_eq!(
            text.lines().count() as u64,
            run["history_line_count"].as_u64().unwrap() + 1,
            "{name}"
        );
    }

    // The best of the sweep, and all of its files but the one that was uploaded afterwards.
    let best = user.json(&["sweep", "best", "sample/samplegr"]);
    let best = best["id"].as_str().unwrap();
    let files = user.json(&["run", "files", &format!("sample/{best}")]);
    let mut names: Vec<&str> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert!(names.contains(&"result.txt"), "{names:?}");
    names.retain(|name| *name != "result.txt");
    assert_eq!(files_below(&user.path("files")), names);

    // Tagged: the three best and nobody else; uploaded: their names.
    let tagged = user.json(&["run", "list", "sample", "--filter", r#"{"tags": "winner"}"#]);
    let mut tagged: Vec<&str> = tagged
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap())
        .collect();
    tagged.sort_unstable();
    let mut winners = ids[..3].to_vec();
    winners.sort_unstable();
    assert_eq!(tagged, winners);
    user.ok(&[
        "run",
        "download",
        &format!("sample/{best}"),
        "result.txt",
        "--root",
        "back",
    ]);
    let back = std::fs::read_to_string(user.path("back/result.txt")).unwrap();
    assert_eq!(back.lines().collect::<Vec<_>>(), ids[..3]);

    // The model is here, and a byte that changes is seen.
    assert_eq!(
        files_below(&user.path("model")),
        ["config.json", "weights/model.bin"]
    );
    let verify = [
        "artifact",
        "verify",
        "sample/sample-model:best",
        "--root",
        "model",
    ];
    user.ok(&verify);
    let weights = user.path("model/weights/model.bin");
    let mut bytes = std::fs::read(&weights).unwrap();
    bytes[7] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    assert_eq!(user.run(&verify).code, 5);
}
