//! `wb artifact view`.

use std::io::Write;

use futures_util::TryStreamExt;
use wandb_api::Artifact;

use super::record;
use crate::cli::ArtifactViewArgs;
use crate::commands::cells;
use crate::commands::details::Details;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::Format;
use crate::output::field::{Field, display_value};
use crate::output::list::{Fields, Schema};

/// A version, and the runs around it if they were asked for.
#[derive(Debug)]
struct Shown {
    artifact: Artifact,
    logged_by: Option<String>,
    used_by: Vec<String>,
}

const WITH_LINEAGE: &[&str] = &[
    "id",
    "name",
    "type",
    "entity",
    "project",
    "collection",
    "version",
    "aliases",
    "tags",
    "digest",
    "state",
    "size",
    "file_count",
    "description",
    "metadata",
    "ttl",
    "created_at",
    "updated_at",
    "logged_by",
    "used_by",
];

fn fields(shown: &Shown) -> Fields<'_> {
    let mut fields = record::fields(shown.artifact.data());
    fields.push(("logged_by", Field::optional(shown.logged_by.as_deref())));
    fields.push(("used_by", Field::texts(&shown.used_by)));
    fields
}

/// Shows one version.
pub(super) async fn view(context: &mut Context, arguments: &ArtifactViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let mut shown = Shown {
        artifact,
        logged_by: None,
        used_by: Vec::new(),
    };
    if arguments.lineage {
        // Whole paths: a run of another project could not be found by its id.
        let path = |run: wandb_api::RunReference| run.run_path().to_string();
        shown.logged_by = shown.artifact.logged_by_reference().await?.map(path);
        shown.used_by = shown
            .artifact
            .used_by()
            .references()
            .map_ok(path)
            .try_collect()
            .await?;
    }
    if let Err(error) = shown.artifact.metadata() {
        context.note(&format!("{error}: it is shown as text"));
    }
    if context.format() == Format::Table {
        let view = describe(context, &shown, arguments.lineage);
        context.out.write_all(view.as_bytes())?;
    } else if arguments.lineage {
        context.write_single(&Schema::new(WITH_LINEAGE, fields), &shown)?;
    } else {
        context.write_single(&record::schema(context), &shown.artifact)?;
    }
    context.out.flush()?;
    Ok(())
}

fn describe(context: &Context, shown: &Shown, lineage: bool) -> String {
    let artifact = &shown.artifact;
    let mut details = Details::new(&artifact.exact_name(), context.screen);
    details.line("type", &artifact.artifact_type);
    details.line("aliases", &artifact.aliases.join(", "));
    details.line("tags", &artifact.tags.join(", "));
    details.line("state", artifact.state.as_str());
    details.line("size", &record::extent(artifact.data()));
    details.line("digest", &artifact.digest);
    details.line("url", &artifact.url());
    details.line("created", &cells::both_times(artifact.created_at, context.now()));
    if let Some(ttl) = artifact.ttl {
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        details.line("kept for", &cells::span(seconds));
    }
    if artifact.is_link {
        details.line("link to", &artifact.source_qualified_name());
    }
    details.line("description", artifact.description.as_deref().unwrap_or_default());
    if lineage {
        details.line(
            "logged by",
            shown.logged_by.as_deref().unwrap_or("nobody that is a run"),
        );
        details.line("used by", &shown.used_by.join(", "));
    }
    match artifact.metadata() {
        Ok(metadata) if metadata.is_empty() => {}
        Ok(metadata) => {
            details.section("metadata");
            for (key, value) in metadata.iter() {
                details.line(key, &display_value(value));
            }
        }
        Err(_) => details.line("metadata", artifact.raw_metadata().unwrap_or_default()),
    }
    details.render()
}
