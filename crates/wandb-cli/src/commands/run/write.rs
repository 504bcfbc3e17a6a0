//! `wb run create`, `update`, `upload`, `delete`, `stop` and `wait`.

use std::io::Write;
use std::sync::Arc;

use futures_util::TryStreamExt;
use wandb_api::{Artifact, ErrorKind, Run, RunState, UpdatableState, WaitOptions};

use super::{files, record};
use crate::assignment;
use crate::cli::{
    RunCreateArgs, RunDeleteArgs, RunSetStateArgs, RunStopArgs, RunUpdateArgs, RunUploadArgs, RunWaitArgs,
    StateChoice,
};
use crate::commands::plan::{self, Step, agreed};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{CommandResult, Failure};
use crate::output::Format;
use crate::output::list::List;
use crate::output::text;
use crate::ui::TransferBar;

/// Makes a run.
pub(super) async fn create(context: &mut Context, arguments: &RunCreateArgs) -> CommandResult {
    let values = &arguments.values;
    let place = Place::of(arguments.path.as_deref(), arguments.id.as_deref())?;
    let connection = context.connect().await?;
    let project = connection.project_path(place.project.as_deref())?;
    let mut new = connection.api().create_run(project);
    if let Some(id) = place.id {
        new = new.id(id);
    }
    for (key, value) in assignment::object("config", &values.config)?.iter() {
        new = new.config(key, value.clone());
    }
    for (key, value) in assignment::object("summary", &values.summary)?.iter() {
        new = new.summary(key, value.clone());
    }
    for tag in &values.tags {
        new = new.tag(tag);
    }
    if let Some(notes) = &values.notes {
        new = new.notes(notes);
    }
    if let Some(name) = &values.name {
        new = new.display_name(name);
    }
    if let Some(group) = &values.group {
        new = new.group(group);
    }
    if let Some(job_type) = &values.job_type {
        new = new.job_type(job_type);
    }
    let run = new.create().await.map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        let failure = Failure::from(error);
        if is_missing && arguments.id.is_none() {
            return failure
                .hint("two parts are entity/project: --id, or a third part, chooses the id of the run");
        }
        failure
    })?;
    show(context, &run, "created")
}

/// Where a run is made, and as what.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// `None`: the one of the settings.
    project: Option<String>,
    /// `None`: a new one.
    id: Option<String>,
}

impl Place {
    /// `entity/project` or `project`, with or without an id beside it, or `entity/project/run`.
    fn of(path: Option<&str>, id: Option<&str>) -> CommandResult<Self> {
        let beside = id.map(str::to_owned);
        let Some(path) = path else {
            return Ok(Self {
                project: None,
                id: beside,
            });
        };
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts[..] {
            [_] | [_, _] => Ok(Self {
                project: Some(parts.join("/")),
                id: beside,
            }),
            [_, _, run] if beside.is_some() => Err(Failure::usage(format!(
                "\"{path}\" names the run \"{run}\" already, and --id as well"
            ))),
            [entity, project, run] => Ok(Self {
                project: Some(format!("{entity}/{project}")),
                id: Some(run.to_owned()),
            }),
            _ => Err(Failure::usage(format!(
                "\"{path}\" is neither entity/project nor entity/project/run"
            ))),
        }
    }
}

/// The run as it is now: its path for people, the object otherwise.
fn show(context: &mut Context, run: &Run, done: &str) -> CommandResult {
    if context.format() == Format::Table {
        context.note(&format!("{done} {} ({})", run.run_path(), run.url));
        context
            .out
            .write_all(format!("{}\n", run.run_path()).as_bytes())?;
    } else {
        context.write_single(&record::schema(), run)?;
    }
    Ok(context.out.flush()?)
}

/// Changes what was given.
pub(super) async fn update(context: &mut Context, arguments: &RunUpdateArgs) -> CommandResult {
    let values = &arguments.values;
    let connection = context.connect().await?;
    let run = connection.api().run(&arguments.path).await?;
    let mut edit = run.edit();
    // Removals come first: a key that is both removed and set is set.
    for key in &arguments.unset_config {
        edit = edit.remove_config(assignment::path(key));
    }
    for key in &arguments.unset_summary {
        edit = edit.remove_summary(assignment::path(key));
    }
    for text in &values.config {
        let (path, value) = assignment::parse("config", text)?;
        edit = edit.config_path(path, value);
    }
    for text in &values.summary {
        let (path, value) = assignment::parse("summary", text)?;
        edit = edit.summary_path(path, value);
    }
    for tag in &arguments.untags {
        edit = edit.remove_tag(tag);
    }
    for tag in &values.tags {
        edit = edit.add_tag(tag);
    }
    if let Some(notes) = &values.notes {
        edit = edit.notes(notes);
    }
    if let Some(name) = &values.name {
        edit = edit.display_name(name);
    }
    if let Some(group) = &values.group {
        edit = edit.group(group);
    }
    if let Some(job_type) = &values.job_type {
        edit = edit.job_type(job_type);
    }
    if arguments.if_unchanged {
        edit = edit.if_unchanged();
    }
    let run = edit.save().await?;
    show(context, &run, "updated")
}

/// Uploads files.
pub(super) async fn upload(context: &mut Context, arguments: &RunUploadArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let count = text::counted(arguments.files.len() as u64, "file");
    let bar = context
        .ui
        .transfer(Some(0), &format!("sending {count} to {}", run.run_path()));
    let progress = Arc::new(TransferBar(bar.clone()));
    let uploaded = run
        .upload_files_with_progress(&arguments.files, &arguments.root, progress)
        .await;
    bar.finish_and_clear();
    let mut list = List::new(files::schema(context), context.format(), context.screen);
    for file in uploaded? {
        list.item(&mut context.out, &file)?;
    }
    let count = list.count();
    let hidden = list.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_count(count, "file");
    context.tell_hidden(hidden);
    Ok(())
}

/// Deletes a run.
pub(super) async fn delete(context: &mut Context, arguments: &RunDeleteArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run(&arguments.path).await?;
    let mut what = format!("run {} ({})", run.run_path(), run.name);
    let mut steps = vec![Step::new("delete", "run", run.run_path().to_string()).note(&run.name)];
    if arguments.with_artifacts {
        let logged: Vec<Artifact> = run.logged_artifacts().stream().try_collect().await?;
        what.push_str(&format!(
            " with {}",
            text::counted(logged.len() as u64, "artifact")
        ));
        steps.extend(logged.iter().map(|artifact| {
            let step = Step::new("delete", "artifact", artifact.exact_name()).digest(&artifact.digest);
            artifact.size.map_or(step.clone(), |size| step.size(size))
        }));
    }
    if agreed(context, arguments.consent, &format!("Delete {what}?"), &steps).await? {
        run.delete(arguments.with_artifacts).await?;
        plan::done(context, &steps, &format!("deleted {what}"))?;
    }
    Ok(())
}

/// Asks a process to end.
pub(super) async fn stop(context: &mut Context, arguments: &RunStopArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run(&arguments.path).await?;
    let path = run.run_path().to_string();
    let step = Step::new("stop", "run", &path).note(format!("state {}", run.state));
    let question = format!("Stop run {path} ({})?", run.name);
    let steps = [step];
    if agreed(context, arguments.consent, &question, &steps).await? {
        run.stop().await?;
        let told = format!("asked run {path} to stop; it does so at its next sign of life");
        plan::done(context, &steps, &told)?;
    }
    Ok(())
}

/// Puts a run into another state.
pub(super) async fn set_state(context: &mut Context, arguments: &RunSetStateArgs) -> CommandResult {
    let state = match arguments.state {
        StateChoice::Pending => UpdatableState::Pending,
        StateChoice::Failed => UpdatableState::Failed,
    };
    let connection = context.connect().await?;
    let run = connection.api().run(&arguments.path).await?;
    let path = run.run_path().to_string();
    let word = state.as_str();
    let step = Step::new("set-state", "run", &path).note(format!("from {} to {word}", run.state));
    let question = format!("Make run {path} ({}), which is {}, {word}?", run.name, run.state);
    if !agreed(context, arguments.consent, &question, &[step]).await? {
        return Ok(());
    }
    let run = run.update_state(state).await?;
    show(context, &run, &format!("{word}:"))
}

/// Waits for the end of a run.
pub(super) async fn wait(context: &mut Context, arguments: &RunWaitArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let mut options = WaitOptions::default().poll(arguments.every);
    if let Some(timeout) = arguments.timeout {
        options = options.timeout(timeout);
    }
    let run = match run.wait_until_finished(&options).await {
        Ok(run) => run,
        Err(error) if error.kind() == ErrorKind::Timeout && arguments.timeout.is_some() => {
            let failure = Failure::new(ExitStatus::Incomplete, error.to_string());
            return Err(failure.hint("give a longer --timeout, or none to wait for ever"));
        }
        Err(error) => return Err(error.into()),
    };
    if context.format() == Format::Table {
        context.out.write_all(format!("{}\n", run.state).as_bytes())?;
    } else {
        context.write_single(&record::schema(), &run)?;
    }
    context.out.flush()?;
    if run.state == RunState::Finished {
        return Ok(());
    }
    Err(Failure::new(
        ExitStatus::Failed,
        format!("run {} ended as {}", run.run_path(), run.state),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_two_or_three_parts() {
        let place = |path, id| {
            let Place { project, id } = Place::of(path, id).unwrap();
            (project.unwrap_or_default(), id.unwrap_or_default())
        };
        let pair = |project: &str, id: &str| (project.to_owned(), id.to_owned());
        assert_eq!(place(Some("e/p"), None), pair("e/p", ""));
        assert_eq!(place(Some("p"), Some("r")), pair("p", "r"));
        assert_eq!(place(Some("e/p/r"), None), pair("e/p", "r"));
        assert_eq!(place(None, Some("r")), pair("", "r"));
        assert!(Place::of(Some("a/b/c/d"), None).is_err());
        assert!(Place::of(Some("e/p/r"), Some("r")).is_err());
    }
}
