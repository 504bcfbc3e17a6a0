//! `wb artifact put`: a new version.

use std::sync::Arc;

use futures_util::TryStreamExt;
use wandb_api::artifacts::draft::{AddOptions, Draft, ReferenceOptions};
use wandb_api::artifacts::name::Selector;
use wandb_api::artifacts::{Algorithm, ArtifactPath};
use wandb_api::{Api, Artifact, ArtifactDraft, ErrorKind, LoggedArtifact, UploadOptions};

use super::edit::{object, show};
use crate::cli::{ArtifactPutArgs, DigestChoice};
use crate::commands::names;
use crate::commands::plan::{self, Step};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::text;
use crate::ui::TransferBar;

/// Logs files and references as a new version.
pub(super) async fn put(context: &mut Context, arguments: &ArtifactPutArgs) -> CommandResult {
    let connection = context.connect_with_cache(false).await?;
    let api = connection.api();
    let path = api.artifact_path(&arguments.name).await?;
    if *path.selector() != Selector::Unspecified {
        return Err(
            Failure::usage("the name of a new version has no alias").hint("give aliases with --alias")
        );
    }
    let mut draft = begin(context, api, &path, arguments).await?;
    fill(context, api, &mut draft, arguments).await?;
    if draft.is_empty() {
        return Err(Failure::usage("there is nothing to log: no file was found"));
    }
    names::warn(
        context.ui,
        draft.path_report().unportable(),
        "downloading them takes --names system",
    );
    let size = draft.manifest().size();
    let what = format!(
        "{} in {}",
        text::bytes(size),
        text::counted(draft.len() as u64, "file")
    );
    if arguments.dry_run {
        return plan::show(context, &steps(&draft, &path, &what));
    }
    let bar = context.ui.transfer(Some(size), &path.to_string());
    let options = UploadOptions::default().progress(Arc::new(TransferBar(bar.clone())));
    let project = format!("{}/{}", path.entity().as_str(), path.project().as_str());
    let logged = match &arguments.run {
        Some(run) => {
            let run = api.run_reference(&format!("{project}/{run}")).await?;
            draft.log(&run, &options).await
        }
        None => draft.log_in(api, &project, &options).await,
    };
    bar.finish_and_clear();
    let LoggedArtifact {
        artifact,
        is_new,
        uploaded,
        ..
    } = logged?;
    let done = if is_new {
        format!(
            "{what}: {} sent ({}), {} were stored already; logged",
            text::grouped(uploaded.sent),
            text::bytes(uploaded.transferred),
            text::grouped(uploaded.stored)
        )
    } else {
        "the same content is a version already:".to_owned()
    };
    show(context, &artifact, &done)
}

/// `entity/project/collection`, without the alias that a path always has.
fn collection(path: &ArtifactPath) -> String {
    format!("{}/{}/{}", path.entity(), path.project(), path.collection())
}

/// What would be logged: the version, then its entries.
fn steps(draft: &ArtifactDraft, path: &ArtifactPath, what: &str) -> Vec<Step> {
    let manifest = draft.manifest();
    let version = Step::new("log", "artifact", collection(path))
        .size(manifest.size())
        .digest(draft.digest().to_string())
        .note(what);
    let entries = manifest.iter().map(|entry| {
        let step = match entry.address() {
            Some(address) => Step::new("add", "reference", entry.path()).note(address),
            None => Step::new("add", "file", entry.path()),
        };
        let step = step.digest(entry.digest().to_string());
        entry.size().map_or(step.clone(), |size| step.size(size))
    });
    std::iter::once(version).chain(entries).collect()
}

/// The version to add to: `latest`, or the newest one where no version has that alias. `None` only where the collection has no
/// version: what is added to a version that was not found would lose all that it has.
async fn newest(api: &Api, path: &ArtifactPath, type_name: &str) -> CommandResult<Option<Artifact>> {
    let collection = collection(path);
    let found = match api.artifact(&collection).await {
        Ok(latest) => Some(latest),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match api
                .artifact_versions(collection.as_str())
                .limit(1)
                .stream()
                .try_next()
                .await
            {
                Ok(newest) => newest,
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    match found {
        Some(found) if found.artifact_type != type_name => {
            let what = format!("{collection} exists with the type {:?}", found.artifact_type);
            Err(Failure::new(ExitStatus::Conflict, what)
                .hint("give that type, or another name: a collection has one type"))
        }
        found => Ok(found),
    }
}

/// An empty draft, or one with all of the newest version.
async fn begin(
    context: &Context,
    api: &Api,
    path: &ArtifactPath,
    arguments: &ArtifactPutArgs,
) -> CommandResult<ArtifactDraft> {
    let base = if arguments.incremental {
        match newest(api, path, &arguments.type_name).await? {
            Some(newest) => Some(newest.new_draft().await?),
            None => {
                context.note("there is no version yet: this will be the first");
                None
            }
        }
    } else {
        None
    };
    let is_first = base.is_none();
    let mut draft = match base {
        Some(draft) => draft,
        None => ArtifactDraft::new(&arguments.type_name, path.collection().as_str())?,
    };
    match (arguments.digest, is_first) {
        (DigestChoice::Md5, _) => {}
        (DigestChoice::Xxh128, true) => *draft = Draft::new(Algorithm::Xxh128),
        // Its entries have their digests.
        (DigestChoice::Xxh128, false) => {
            return Err(Failure::usage(
                "--digest has no use with --incremental: the newest version decides",
            ));
        }
    }
    if let Some(description) = &arguments.description {
        draft = draft.description(description);
    }
    if let Some(metadata) = &arguments.metadata {
        draft = draft.metadata(object(metadata)?);
    }
    for alias in &arguments.aliases {
        draft = draft.alias(alias);
    }
    for tag in &arguments.tags {
        draft = draft.tag(tag);
    }
    // Before the files are read, which may take long.
    draft.check()?;
    Ok(draft)
}

async fn fill(
    context: &Context,
    api: &Api,
    draft: &mut ArtifactDraft,
    arguments: &ArtifactPutArgs,
) -> CommandResult {
    let prefix = arguments.prefix.as_deref().map(|prefix| prefix.trim_matches('/'));
    // Of the newest version files are replaced; two of the same put must not have one name.
    let options = AddOptions::default().overwrite(arguments.incremental);
    for path in &arguments.paths {
        let spinner = context.ui.transfer(None, &format!("hashing {}", path.display()));
        let added = if path.is_dir() {
            draft.add_directory(path, prefix, &options).await.map(|_| ())
        } else {
            let name = path.file_name().and_then(|name| name.to_str());
            let placed = match (prefix, name) {
                (Some(prefix), Some(name)) => Some(format!("{prefix}/{name}")),
                _ => None,
            };
            draft
                .add_file(path, placed.as_deref(), &options)
                .await
                .map(|_| ())
        };
        spinner.finish_and_clear();
        added?;
    }
    for text in &arguments.references {
        let (name, address) = named_reference(text);
        let options = ReferenceOptions::default().overwrite(arguments.incremental);
        draft.reference(api, address, name, options).await?;
    }
    Ok(())
}

/// `NAME=URI`, or a URI alone.
fn named_reference(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((name, address)) if !name.contains("://") && address.contains("://") => (Some(name), address),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_may_have_a_name() {
        assert_eq!(
            named_reference("a/b=s3://bucket/x"),
            (Some("a/b"), "s3://bucket/x")
        );
        assert_eq!(
            named_reference("https://host/x?a=b"),
            (None, "https://host/x?a=b")
        );
        assert_eq!(
            named_reference("n=https://host/x?a=b"),
            (Some("n"), "https://host/x?a=b")
        );
    }
}
