//! `wb artifact download` and `checkout`.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use wandb_api::ArtifactDownloadOptions;
use wandb_api::artifacts::Placement;
use wandb_api::artifacts::plan::PlanSummary;
use wandb_api::artifacts::transfer::{DownloadedArtifact, Removal, TrackedReference};

use crate::cli::{ArtifactDownloadArgs, CheckoutArgs, Limits, LinkChoice};
use crate::confirm::confirm;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::field::Field;
use crate::output::list::{Fields, Schema};
use crate::output::{Format, text};
use crate::ui::TransferBar;

/// Removals that are shown one by one before the question; the number of the others is told.
const SHOWN: usize = 50;

/// What was done, with the name of the version.
#[derive(Debug)]
struct Done {
    name: String,
    root: String,
    downloaded: DownloadedArtifact,
}

const NAMES: &[&str] = &[
    "name",
    "path",
    "bytes",
    "present",
    "cached",
    "fetched",
    "copied",
    "transferred",
    "tracked",
    "missing_references",
    "unchecked",
];

fn fields(done: &Done) -> Fields<'_> {
    let downloaded = &done.downloaded;
    vec![
        ("name", Field::text(&done.name)),
        ("path", Field::text(&done.root)),
        ("bytes", Field::UInt(downloaded.bytes)),
        ("present", Field::UInt(downloaded.present)),
        ("cached", Field::UInt(downloaded.cached)),
        ("fetched", Field::UInt(downloaded.fetched)),
        ("copied", Field::UInt(downloaded.copied)),
        ("transferred", Field::UInt(downloaded.transferred)),
        ("tracked", paths(&downloaded.tracked)),
        ("missing_references", paths(&downloaded.missing_references)),
        ("unchecked", paths(&downloaded.unchecked)),
    ]
}

fn paths(references: &[TrackedReference]) -> Field<'_> {
    Field::Texts(
        references
            .iter()
            .map(|reference| reference.path.as_str().into())
            .collect(),
    )
}

/// What would be done.
#[derive(Debug)]
struct Plan {
    name: String,
    summary: PlanSummary,
    /// What is no member and would be removed; directories end in `/`.
    removed: Vec<String>,
}

const PLAN: &[&str] = &[
    "name",
    "present",
    "cached",
    "fetched",
    "fetched_bytes",
    "references",
    "requests",
    "removed",
];

fn plan_fields(plan: &Plan) -> Fields<'_> {
    vec![
        ("name", Field::text(&plan.name)),
        ("present", count(plan.summary.present_files)),
        (
            "cached",
            count(plan.summary.cached_files + plan.summary.repeated_files),
        ),
        ("fetched", count(plan.summary.fetched_files)),
        ("fetched_bytes", Field::UInt(plan.summary.fetched_bytes)),
        ("references", count(plan.summary.references)),
        ("requests", Field::UInt(requests(&plan.summary))),
        ("removed", Field::texts(&plan.removed)),
    ]
}

fn shown_path(removal: &Removal) -> String {
    let slash = if removal.is_directory { "/" } else { "" };
    format!("{}{slash}", removal.path)
}

fn count(files: usize) -> Field<'static> {
    Field::UInt(files as u64)
}

fn requests(summary: &PlanSummary) -> u64 {
    summary
        .file_requests
        .saturating_add(summary.address_requests as u64)
}

/// Downloads a version, or tells what that would take.
pub(super) async fn download(context: &mut Context, arguments: &ArtifactDownloadArgs) -> CommandResult {
    context.global.cache_budget = arguments.limits.cache_budget;
    let connection = if arguments.skip_cache {
        context.connect_or_offline(arguments.offline).await?
    } else {
        context.connect_with_cache(arguments.offline).await?
    };
    let artifact = connection.api().artifact(&arguments.name).await?;
    let bar = context.ui.transfer(artifact.size, &artifact.exact_name());
    let options = options(arguments.root.as_deref(), arguments.limits)
        .prefix(arguments.prefix.as_deref().unwrap_or_default())
        .names(arguments.names.policy())
        .skip_cache(arguments.skip_cache)
        .allow_missing_references(arguments.allow_missing_references)
        .placement(match arguments.link {
            LinkChoice::Copy => Placement::Copy,
            LinkChoice::Hard => Placement::HardLink,
        })
        .progress(Arc::new(TransferBar(bar.clone())));
    let name = artifact.exact_name();
    if arguments.dry_run {
        let summary = artifact.download_plan(&options).await;
        bar.finish_and_clear();
        return show_plan(
            context,
            &Plan {
                name,
                summary: summary?,
                removed: Vec::new(),
            },
        );
    }
    let downloaded = artifact.download(&options).await;
    bar.finish_and_clear();
    show(context, name, downloaded?)
}

fn show_plan(context: &mut Context, plan: &Plan) -> CommandResult {
    if context.format() != Format::Table {
        context.write_single(&Schema::new(PLAN, plan_fields), plan)?;
        return Ok(context.out.flush()?);
    }
    let line = |what: &str, files: usize, bytes: u64| {
        let files = text::counted(files as u64, "file");
        format!("{what:<12}{files} ({})\n", text::bytes(bytes))
    };
    let summary = &plan.summary;
    let mut lines = [
        line("present", summary.present_files, summary.present_bytes),
        line("from cache", summary.cached_files, summary.cached_bytes),
        line("to fetch", summary.fetched_files, summary.fetched_bytes),
    ]
    .concat();
    if summary.repeated_files > 0 {
        lines.push_str(&line("the same", summary.repeated_files, summary.repeated_bytes));
    }
    if summary.references > 0 {
        lines.push_str(&format!(
            "references  {}\n",
            text::counted(summary.references as u64, "entry")
        ));
    }
    lines.push_str(&format!("requests    {}\n", requests(summary)));
    for path in &plan.removed {
        lines.push_str(&format!("remove      {}\n", text::single_line(path)));
    }
    context.out.write_all(lines.as_bytes())?;
    Ok(context.out.flush()?)
}

fn show(context: &mut Context, name: String, downloaded: DownloadedArtifact) -> CommandResult {
    for reference in &downloaded.tracked {
        context.note(&format!(
            "{} is at {}, and was not fetched",
            reference.path, reference.address
        ));
    }
    for reference in &downloaded.missing_references {
        context
            .ui
            .warn(&format!("{} is gone: {}", reference.path, reference.address));
    }
    for reference in &downloaded.unchecked {
        context.ui.warn(&format!(
            "{} was not checked: it was logged without a digest ({})",
            reference.path, reference.address
        ));
    }
    let root = downloaded.root.display().to_string();
    if context.format() == Format::Table {
        let verified = downloaded.files() - downloaded.unchecked.len() as u64;
        let mut parts = vec![
            format!("{} were present", text::grouped(downloaded.present)),
            format!("{} came from the cache", text::grouped(downloaded.cached)),
        ];
        if downloaded.copied > 0 {
            parts.push(format!(
                "{} were copies of others",
                text::grouped(downloaded.copied)
            ));
        }
        parts.push(format!(
            "{} were fetched ({})",
            text::grouped(downloaded.fetched),
            text::bytes(downloaded.transferred)
        ));
        context.note(&format!(
            "{name}: {} verified: {}",
            text::counted(verified, "file"),
            parts.join(", ")
        ));
        context.out.write_all(format!("{root}\n").as_bytes())?;
    } else {
        let done = Done {
            name,
            root,
            downloaded,
        };
        context.write_single(&Schema::new(NAMES, fields), &done)?;
    }
    Ok(context.out.flush()?)
}

/// What every verb that downloads takes.
pub(super) fn options(root: Option<&Path>, limits: Limits) -> ArtifactDownloadOptions {
    let options = match root {
        Some(root) => ArtifactDownloadOptions::below(root),
        None => ArtifactDownloadOptions::default(),
    };
    match limits.unsized_limit {
        Some(bytes) => options.unsized_limit(bytes),
        None => options,
    }
}

/// Makes a directory equal to a version.
pub(super) async fn checkout(context: &mut Context, arguments: &CheckoutArgs) -> CommandResult {
    context.global.cache_budget = arguments.limits.cache_budget;
    let connection = context.connect_with_cache(false).await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let bar = context.ui.transfer(artifact.size, &artifact.exact_name());
    let options = options(arguments.root.as_deref(), arguments.limits)
        .names(arguments.names.policy())
        .progress(Arc::new(TransferBar(bar.clone())));
    let checkout = artifact.checkout(&options).await?;
    if arguments.consent.dry_run {
        let summary = checkout.plan().await?;
        bar.finish_and_clear();
        let plan = Plan {
            name: artifact.exact_name(),
            summary,
            removed: checkout.removals().iter().map(shown_path).collect(),
        };
        return show_plan(context, &plan);
    }
    let removals = checkout.removals();
    for removal in removals.iter().take(SHOWN) {
        context.note(&format!("  to be removed: {}", shown_path(removal)));
    }
    if removals.len() > SHOWN {
        let others = (removals.len() - SHOWN) as u64;
        context.note(&format!("  and {} more", text::grouped(others)));
    }
    if !removals.is_empty() {
        let count = text::counted(removals.len() as u64, "thing");
        confirm(
            context.ui,
            &format!("Remove {count} that {} does not have?", artifact.exact_name()),
            arguments.consent.yes,
        )
        .await?;
    }
    let done = checkout.run().await;
    bar.finish_and_clear();
    let (downloaded, removed) = done?;
    if !removed.is_empty() {
        context.note(&format!(
            "removed {}",
            text::counted(removed.len() as u64, "thing")
        ));
    }
    show(context, artifact.exact_name(), downloaded)
}
