//! `wb artifact update`, `delete`, `link` and `unlink`.

use std::io::Write;

use wandb_api::{Artifact, TimeToLive, Value};

use super::record;
use crate::cli::{ArtifactDeleteArgs, ArtifactLinkArgs, ArtifactUnlinkArgs, ArtifactUpdateArgs, TtlChoice};
use crate::commands::plan::{self, Step, agreed};
use crate::context::Context;
use crate::failure::{CommandResult, Failure};
use crate::json_text;
use crate::output::Format;

/// Changes what was given.
pub(super) async fn update(context: &mut Context, arguments: &ArtifactUpdateArgs) -> CommandResult {
    let metadata = arguments.metadata.as_deref().map(object).transpose()?;
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let mut edit = artifact.edit();
    for alias in &arguments.aliases {
        edit = edit.add_alias(alias);
    }
    for alias in &arguments.unaliases {
        edit = edit.remove_alias(alias);
    }
    for tag in &arguments.tags {
        edit = edit.add_tag(tag);
    }
    for tag in &arguments.untags {
        edit = edit.remove_tag(tag);
    }
    if let Some(description) = &arguments.description {
        edit = edit.description(description);
    }
    if let Some(metadata) = metadata {
        edit = edit.metadata(metadata);
    }
    if let Some(ttl) = arguments.ttl {
        edit = edit.ttl(match ttl {
            TtlChoice::For(duration) => TimeToLive::For(duration),
            TtlChoice::Never => TimeToLive::Forever,
            TtlChoice::Inherit => TimeToLive::Inherit,
        });
    }
    if arguments.if_unchanged {
        edit = edit.if_unchanged();
    }
    let changed = edit.save().await?;
    show(context, &changed, "updated")
}

/// Reads a JSON object from an option.
pub(super) fn object(json: &str) -> CommandResult<wandb_api::value::Map> {
    let broken = |what: String| Failure::usage(what).hint("for example --metadata '{\"rows\": 1000}'");
    match Value::parse(json) {
        Ok(Value::Map(map)) => json_text::check_keys("--metadata", json).map(|()| map),
        Ok(_) => Err(broken("the metadata is no JSON object".to_owned())),
        Err(error) => Err(broken(format!("the metadata is no JSON: {error}"))),
    }
}

/// The version as it is now: one line for people, the object otherwise.
pub(super) fn show(context: &mut Context, artifact: &Artifact, done: &str) -> CommandResult {
    if context.format() == Format::Table {
        context.note(&format!("{done} {}", artifact.exact_name()));
        let line = format!("{}\n", artifact.exact_name());
        context.out.write_all(line.as_bytes())?;
    } else {
        context.write_single(&record::schema(context), artifact)?;
    }
    Ok(context.out.flush()?)
}

/// Deletes a version.
pub(super) async fn delete(context: &mut Context, arguments: &ArtifactDeleteArgs) -> CommandResult {
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let name = artifact.exact_name();
    if artifact.is_link {
        let source = artifact.source_qualified_name();
        return Err(
            Failure::usage(format!("{name} is a link to {source}, and only unlinked"))
                .hint(format!(
                    "`wb artifact unlink {name}` takes it out of the portfolio"
                ))
                .hint(format!(
                    "`wb artifact delete {source}` deletes the version itself"
                )),
        );
    }
    artifact.ensure_committed()?;
    if !artifact.aliases.is_empty() && !arguments.with_aliases {
        return Err(Failure::new(
            crate::exit::ExitStatus::Conflict,
            format!("{name} has the aliases {}", artifact.aliases.join(", ")),
        )
        .hint("give --with-aliases to delete it all the same"));
    }
    let what = format!("{name} ({})", record::extent(artifact.data()));
    let mut step = Step::new("delete", "artifact", &name).digest(&artifact.digest);
    if let Some(size) = artifact.size {
        step = step.size(size);
    }
    if !artifact.aliases.is_empty() {
        step = step.note(format!("aliases {}", artifact.aliases.join(", ")));
    }
    let steps = [step];
    if agreed(context, arguments.consent, &format!("Delete {what}?"), &steps).await? {
        artifact.delete(arguments.with_aliases).await?;
        plan::done(context, &steps, &format!("deleted {what}"))?;
    }
    Ok(())
}

/// Links a version into a portfolio.
pub(super) async fn link(context: &mut Context, arguments: &ArtifactLinkArgs) -> CommandResult {
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let linked = artifact.link(&arguments.target, &arguments.aliases).await?;
    show(context, &linked, "linked")
}

/// Takes a version out of a portfolio.
pub(super) async fn unlink(context: &mut Context, arguments: &ArtifactUnlinkArgs) -> CommandResult {
    let connection = context.connect().await?;
    let artifact = connection.api().artifact(&arguments.name).await?;
    let name = artifact.exact_name();
    // A dry run of what would be refused is refused as well.
    if !artifact.is_link {
        return Err(
            Failure::usage(format!("{name} is where the version was logged, and not a link"))
                .hint("name it as it is called in the portfolio: `wb artifact linked` lists these"),
        );
    }
    let stays = format!("stays {}", artifact.source_qualified_name());
    let steps = [Step::new("unlink", "artifact", &name).note(stays)];
    if agreed(context, arguments.consent, &format!("Unlink {name}?"), &steps).await? {
        artifact.unlink().await?;
        plan::done(context, &steps, &format!("unlinked {name}"))?;
    }
    Ok(())
}
