//! What a script with `wandb.Api()` did in 2020, step by step, with the line of Python that did it.
//!
//! `cargo run --example script_2020 -- my-project ./out`, with `WANDB_API_KEY` and `WANDB_BASE_URL` in the environment. It
//! is run by `tests/tests/e2e/script_2020.rs` against the embedded server's sample project.

#![allow(
    clippy::print_stdout,
    reason = "the program is there to print; as a module of the test it does not"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use wandb_api::filter::Filter;
use wandb_api::{Api, ArtifactDownloadOptions, FileDownloadOptions, Run, Sweep};

/// What the script did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The runs that matched, the best first.
    pub(crate) listed: Vec<Run>,
    /// How many rows were exported.
    pub(crate) rows: u64,
    /// The best run of the sweep.
    pub(crate) best: Run,
    /// Where its files are.
    pub(crate) files: Vec<PathBuf>,
    /// The runs that were tagged.
    pub(crate) winners: Vec<Run>,
    /// Where the model is.
    pub(crate) model: PathBuf,
}

/// The script. What it writes goes below `out`.
///
/// # Errors
/// When anything is missing, refused, or not what it was when it was logged.
pub(crate) async fn script(api: &Api, project: &str, out: &Path) -> Result<Outcome, Box<dyn Error>> {
    fs::create_dir_all(out)?;

    // runs = api.runs(project, {"state": "finished", "config.lr": {"$lte": 0.001}}, order="+summary_metrics.val/loss")
    let filter = Filter::parse_mongo(r#"{"state": "finished", "config.lr": {"$lte": 0.001}}"#)?;
    let order = "+summary_metrics.val/loss".parse()?;
    let listed: Vec<Run> = api
        .runs(project)
        .filter(filter)
        .order(order)
        .stream()
        .try_collect()
        .await?;

    // for run in runs: for row in run.scan_history(keys=["loss"]): …
    let mut csv = "run,step,loss\n".to_owned();
    let mut rows = 0;
    for run in &listed {
        let mut batches = run.scan_history().all_keys(["loss"]).start().await?;
        while let Some(batch) = batches.try_next().await? {
            for row in batch.rows() {
                let loss = row
                    .get("loss")
                    .ok_or("a row without the key that was asked for")?;
                writeln!(csv, "{},{},{loss}", run.id, row.step())?;
            }
        }
        rows += batches.report().rows;
    }
    fs::write(out.join("losses.csv"), csv)?;

    // best = api.sweep(f"{project}/{sweep}").best_run()
    let sweeps: Vec<Sweep> = api.sweeps(project).limit(1).stream().try_collect().await?;
    let sweep = sweeps.first().ok_or("the project has no sweep")?;
    let best = sweep.best_run().await?;
    let best = best.run.ok_or("the sweep has no run")?;

    // for file in best.files(): file.download(root)
    let options = FileDownloadOptions::below(out.join("files")).keep_verified();
    let mut files = Vec::new();
    let mut listing = best.files().stream();
    while let Some(file) = listing.try_next().await? {
        files.push(file.download(&options).await?.path);
    }

    // for run in runs[:3]: run.tags.append("winner"); run.update()
    let mut winners = Vec::new();
    for run in listed.iter().take(3) {
        winners.push(run.edit().add_tag("winner").save().await?);
    }

    // best.upload_file("result.txt")
    let text: String = winners.iter().map(|run| format!("{}\n", run.id)).collect();
    fs::write(out.join("result.txt"), text)?;
    best.upload_file(out.join("result.txt"), out).await?;

    // artifact = api.artifact(f"{project}/sample-model:best"); artifact.download(root); artifact.verify(root)
    let model = out.join("model");
    let artifact = api.artifact(&format!("{project}/sample-model:best")).await?;
    artifact.download(&ArtifactDownloadOptions::below(&model)).await?;
    artifact.verify(&model).await?.into_result()?;

    Ok(Outcome {
        listed,
        rows,
        best,
        files,
        winners,
        model,
    })
}

#[tokio::main]
#[allow(
    dead_code,
    reason = "the test has this file as a module and calls the script itself"
)]
async fn main() -> Result<(), Box<dyn Error>> {
    let project = std::env::args().nth(1).unwrap_or_else(|| "sample".to_owned());
    let out = PathBuf::from(std::env::args().nth(2).unwrap_or_else(|| "out".to_owned()));
    let outcome = script(&Api::from_env()?, &project, &out).await?;
    println!(
        "{} runs, {} rows in losses.csv",
        outcome.listed.len(),
        outcome.rows
    );
    println!(
        "best of the sweep: {}, {} files",
        outcome.best.name,
        outcome.files.len()
    );
    for run in &outcome.winners {
        println!("winner: {} {:?}", run.name, run.tags);
    }
    println!("verified: {}", outcome.model.display());
    Ok(())
}
