//! `wb run history`: a sample of the rows.

use std::io::Write;

use wandb_api::{HistoryStream, RunReference};

use crate::cli::{HistoryArgs, HistoryStreamChoice, KeyList};
use crate::context::Context;
use crate::failure::{CommandResult, Failure};
use crate::output::rows::Rows;
use crate::output::text;

/// Prints the sample, and says that it is one.
pub(crate) async fn history(context: &mut Context, arguments: &HistoryArgs) -> CommandResult {
    let keys = KeyList::join(&arguments.keys);
    let connection = context.connect().await?;
    let run = connection.api().run_reference(&arguments.path).await?;
    let mut history = run
        .history()
        .keys(keys.iter().map(String::as_str))
        .stream(match arguments.stream {
            HistoryStreamChoice::Default => HistoryStream::Default,
            HistoryStreamChoice::System => HistoryStream::System,
        });
    if let Some(samples) = arguments.samples {
        history = history.samples(samples);
    }
    if let Some(axis) = &arguments.x_axis {
        history = history.x_axis(axis.as_str());
    }
    let sample = history.load().await?;
    warn_never_logged(context, &run, sample.never_logged.iter().map(String::as_str));
    let axis = arguments.x_axis.as_deref().unwrap_or("_step");
    let mut rows = Rows::new(context.format(), columns(axis, &keys), axis, context.screen)
        .map_err(|error| Failure::io("create a temporary file", error))?;
    for row in sample.batch.rows() {
        rows.row(&mut context.out, row)?;
    }
    let count = rows.count();
    let not_shown = rows.finish(&mut context.out)?;
    context.out.flush()?;
    context.tell_not_shown(not_shown);
    match sample.sampled_from {
        Some(total) if count < total => {
            let all = text::counted(total, "row");
            context.note(&format!(
                "{} of {all}, chosen by the server; `wb run scan` reads all",
                text::grouped(count)
            ));
        }
        _ => context.tell_count(count, "row"),
    }
    Ok(())
}

/// Says which keys can give nothing: a misspelled one looks like one without values.
pub(super) fn warn_never_logged<'key>(
    context: &Context,
    run: &RunReference,
    keys: impl IntoIterator<Item = &'key str>,
) {
    for key in keys {
        context.ui.warn(&format!(
            "{key:?} was never logged in this run; `wb run view {}` shows what was",
            run.run_path()
        ));
    }
}

/// The columns of CSV, if the caller named keys.
pub(super) fn columns(axis: &str, keys: &[String]) -> Option<Vec<String>> {
    if keys.is_empty() {
        return None;
    }
    let mut columns = vec![axis.to_owned()];
    columns.extend(keys.iter().filter(|key| *key != axis).cloned());
    Some(columns)
}
