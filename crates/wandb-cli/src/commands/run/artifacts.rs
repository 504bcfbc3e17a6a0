//! `wb run logged-artifacts`, `used-artifacts`, `use-artifact` and `log-artifact`.

use std::io::Write;

use futures_util::{Stream, StreamExt};
use wandb_api::Artifact;
use wandb_api::artifacts::name::ArtifactName;
use wandb_api::path::RunPath;

use crate::cli::{LogArtifactArgs, RunArtifactsArgs, UseArtifactArgs};
use crate::commands::artifact::record as artifact_record;
use crate::commands::stream::next_or_flush;
use crate::context::Context;
use crate::failure::CommandResult;
use crate::output::Format;
use crate::output::list::List;

/// Lists the versions that a run logged.
pub(super) async fn logged(context: &mut Context, arguments: &RunArtifactsArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    write(context, run.logged_artifacts().stream()).await
}

/// Lists the versions that a run used.
pub(super) async fn used(context: &mut Context, arguments: &RunArtifactsArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let used = run.used_artifacts().stream();
    write(context, used.map(|used| used.map(|used| used.artifact))).await
}

async fn write(
    context: &mut Context,
    mut stream: impl Stream<Item = wandb_api::Result<Artifact>> + Unpin,
) -> CommandResult {
    let mut list = List::new(artifact_record::schema(context), context.format(), context.screen);
    while let Some(artifact) = next_or_flush(&mut stream, &mut context.out).await? {
        list.item(&mut context.out, &artifact?)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "artifact");
    context.tell_hidden(hidden);
    Ok(())
}

/// How the base64 of every artifact's opaque id begins: "Artifact:".
const ID: &str = "QXJ0aWZhY3Q6";

/// A name without a project means one of the run's project, not of the default one.
fn beside(run: &RunPath, name: &str) -> String {
    match name.parse::<ArtifactName>() {
        Ok(parsed) if parsed.project().is_none() && !name.starts_with(ID) => {
            format!("{}/{}/{name}", run.entity(), run.project())
        }
        _ => name.to_owned(),
    }
}

/// Records that a run used a version.
pub(super) async fn use_artifact(context: &mut Context, arguments: &UseArtifactArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let name = beside(run.run_path(), &arguments.artifact);
    let artifact = connection.api().artifact(&name).await?;
    run.use_artifact(&artifact, None).await?;
    context.note(&format!("run {} uses {}", run.run_path(), artifact.exact_name()));
    show(context, &artifact)
}

/// The version, where an object was asked for. What was done is told on stderr in any case.
fn show(context: &mut Context, artifact: &Artifact) -> CommandResult {
    if context.format() != Format::Table {
        context.write_single(&artifact_record::schema(context), artifact)?;
    }
    Ok(context.out.flush()?)
}

/// Records that a run made a version.
pub(super) async fn log_artifact(context: &mut Context, arguments: &LogArtifactArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let name = beside(run.run_path(), &arguments.artifact);
    let artifact = connection.api().artifact(&name).await?;
    run.log_artifact(&artifact, &arguments.aliases).await?;
    context.note(&format!(
        "run {} logged {}",
        run.run_path(),
        artifact.exact_name()
    ));
    // It may have aliases that it did not have when it was read.
    let artifact = match context.format() {
        Format::Table => artifact,
        _ => artifact.reload().await?,
    };
    show(context, &artifact)
}

#[cfg(test)]
mod tests {
    use wandb_api::path::PathContext;

    use super::*;

    #[test]
    fn a_bare_name_is_of_the_runs_project() {
        let run = RunPath::parse("e/p/r", &PathContext::new()).unwrap();
        for (name, expected) in [
            ("data", "e/p/data"),
            ("data:a/b", "e/p/data:a/b"),
            ("q/data:v1", "q/data:v1"),
            ("f/q/data", "f/q/data"),
            ("QXJ0aWZhY3Q6MTIz", "QXJ0aWZhY3Q6MTIz"),
            (
                "wandb-artifact://_id/QXJ0aWZhY3Q6MTIz",
                "wandb-artifact://_id/QXJ0aWZhY3Q6MTIz",
            ),
        ] {
            assert_eq!(beside(&run, name), expected);
        }
    }
}
