//! The complete program of `docs/guide/library.md`: the best runs of a project, their curves, and their config files.
//!
//! `cargo run --example best_runs -- my-team/my-project`

#![expect(clippy::print_stdout, reason = "the program is there to print")]

use futures_util::TryStreamExt;
use wandb_api::{Api, FileDownloadOptions, Result, filter};

#[tokio::main]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let api = Api::from_env()?;
    let listing = api
        .runs(path)
        .filter(filter::state().eq("finished"))
        .order("+summary_metrics.loss".parse()?);
    println!("{} finished runs", listing.count().await?);
    let mut runs = listing.limit(3).stream();
    while let Some(run) = runs.try_next().await? {
        println!(
            "{} ({}): loss {:?}, lr {:?}",
            run.name,
            run.id,
            run.summary()?.get("loss"),
            run.config()?.get("lr")
        );
        let mut batches = run.scan_history().all_keys(["loss"]).start().await?;
        let mut lowest = f64::INFINITY;
        while let Some(batch) = batches.try_next().await? {
            for row in batch.rows() {
                lowest = row
                    .get("loss")
                    .and_then(|loss| loss.as_f64())
                    .map_or(lowest, |loss| lowest.min(loss));
            }
        }
        println!("  {} rows, lowest loss {lowest}", batches.report().rows);
        let into = FileDownloadOptions::below(format!("downloads/{}", run.id)).keep_verified();
        match run.file("config.yaml").await {
            Ok(file) => println!("  {} verified", file.download(&into).await?.path.display()),
            Err(error) if error.is_not_found() => println!("  no config.yaml"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
