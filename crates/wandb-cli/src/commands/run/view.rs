//! `wb run view`.

use std::io::Write;

use wandb_api::value::Map;
use wandb_api::{Run, Value};

use super::record;
use crate::cli::RunViewArgs;
use crate::commands::cells;
use crate::commands::details::Details;
use crate::context::Context;
use crate::failure::{CommandResult, Failure};
use crate::output::field::display_value;
use crate::output::plot::{PlotOptions, Point, plot};
use crate::output::style::state_paint;
use crate::output::{Format, text};

/// Lines of the drawing of a curve.
const PLOT_HEIGHT: usize = 9;

/// Shows one run.
pub(crate) async fn view(context: &mut Context, arguments: &RunViewArgs) -> CommandResult {
    let connection = context.connect().await?;
    let run = connection.api().run(&arguments.path).await?;
    if context.format() == Format::Table {
        let text = describe(context, &run, arguments.plot.as_deref()).await?;
        context.out.write_all(text.as_bytes())?;
    } else {
        context.write_single(&record::schema(), &run)?;
    }
    context.out.flush()?;
    Ok(())
}

/// The run as text, its curve included. `metric` names the curve; otherwise one that is named like a loss is chosen.
async fn describe(context: &Context, run: &Run, metric: Option<&str>) -> CommandResult<String> {
    let logged = logged_keys(run.history_keys()?);
    let metric = match metric {
        Some(wanted) if logged.iter().any(|key| key.name == wanted) => Some(wanted),
        Some(wanted) => return Err(no_such_metric(run, wanted, &logged)),
        None => choose_metric(&logged),
    };
    let mut details = Details::new(&run.run_path().to_string(), context.screen);
    attributes(&mut details, run, context);
    section(&mut details, "config", run.config()?);
    section(&mut details, "summary", run.summary()?);
    if let Some(metric) = metric {
        let width = context.screen.drawing_width().saturating_sub(2);
        details.drawing(curve(run, metric, width).await?);
    }
    Ok(details.render())
}

fn attributes(details: &mut Details, run: &Run, context: &Context) {
    let now = context.now();
    details.line("name", &run.name);
    details.painted_line("state", run.state.as_str(), state_paint(run.state.as_str()));
    details.line("url", &run.url);
    details.line("created", &cells::both_times(run.created_at, now));
    if let Some(heartbeat) = run.heartbeat_at {
        details.line(
            "ran for",
            &cells::span(cells::seconds_between(run.created_at, heartbeat)),
        );
    }
    details.line("user", run.username().unwrap_or_default());
    details.line("group", run.group.as_deref().unwrap_or_default());
    details.line("job type", run.job_type.as_deref().unwrap_or_default());
    details.line("tags", &run.tags.join(", "));
    details.line("sweep", run.sweep_name.as_deref().unwrap_or_default());
    details.line("commit", run.commit.as_deref().unwrap_or_default());
    details.line("notes", run.notes.as_deref().unwrap_or_default());
    if let Some(rows) = run.history_line_count.and_then(|rows| u64::try_from(rows).ok()) {
        details.line("history", &text::counted(rows, "row"));
    }
}

/// The user's keys first, then W&B's own (`_step`, `_runtime`), each in the order in which they came.
fn section(details: &mut Details, title: &str, map: &Map) {
    if map.is_empty() {
        return;
    }
    details.section(title);
    let (own, internal): (Vec<_>, Vec<_>) = map.iter().partition(|(key, _)| !key.starts_with('_'));
    for (key, value) in own.into_iter().chain(internal) {
        details.line(key, &display_value(value));
    }
}

/// A key of the history.
#[derive(Debug, PartialEq)]
struct LoggedKey<'a> {
    name: &'a str,
    numeric: bool,
}

/// The keys of the history out of `{"keys": {NAME: {"typeCounts": [{"type": "number", …}]}}}` (protocol §2.9).
fn logged_keys(history_keys: &Map) -> Vec<LoggedKey<'_>> {
    let Some(Value::Map(keys)) = history_keys.get("keys") else {
        return Vec::new();
    };
    let is_number = |count: &Value| {
        count
            .as_map()
            .and_then(|count| count.get("type"))
            .and_then(Value::as_str)
            == Some("number")
    };
    let numeric = |description: &Value| {
        let counts = description
            .as_map()
            .and_then(|description| description.get("typeCounts"));
        // A server that does not tell the types gets the benefit of the doubt.
        counts
            .and_then(Value::as_list)
            .is_none_or(|counts| counts.iter().any(is_number))
    };
    keys.iter()
        .map(|(name, description)| LoggedKey {
            name,
            numeric: numeric(description),
        })
        .collect()
}

/// The metric that people look at first: `loss`, then training and validation losses, then any other number.
fn choose_metric<'a>(logged: &[LoggedKey<'a>]) -> Option<&'a str> {
    let rank = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let last = lower.rsplit(['/', '.']).next().unwrap_or_default();
        match () {
            () if name.starts_with('_') => None,
            () if lower == "loss" => Some(0),
            () if last == "loss" && lower.starts_with("train") => Some(1),
            () if lower == "train_loss" => Some(1),
            () if last == "loss" => Some(2),
            () if lower.contains("loss") => Some(3),
            () => Some(4),
        }
    };
    let numeric = logged.iter().filter(|key| key.numeric);
    numeric
        .filter_map(|key| Some((rank(key.name)?, key.name)))
        .min_by_key(|&(rank, _)| rank)
        .map(|(_, name)| name)
}

fn no_such_metric(run: &Run, wanted: &str, logged: &[LoggedKey<'_>]) -> Failure {
    let failure = Failure::new(
        crate::exit::ExitStatus::NotFound,
        format!("run \"{}\" has logged no metric \"{wanted}\"", run.run_path()),
    );
    let names: Vec<&str> = logged
        .iter()
        .map(|key| key.name)
        .filter(|name| !name.starts_with('_'))
        .take(20)
        .collect();
    if names.is_empty() {
        failure
    } else {
        failure.hint(format!("it has logged {}", names.join(", ")))
    }
}

/// The curve of a metric over the steps, out of a sample that has a point for every dot.
async fn curve(run: &Run, metric: &str, width: usize) -> CommandResult<Vec<String>> {
    let samples = u32::try_from(width * 4).unwrap_or(500);
    let sample = run.history().keys([metric]).samples(samples).load().await?;
    let points: Vec<Point> = sample
        .batch
        .rows()
        .iter()
        .filter_map(|row| {
            let x = row.get("_step")?.as_f64()?;
            // W&B writes non-finite numbers as these strings where JSON must be strict.
            let y = match row.get(metric)? {
                Value::String(text) => text.parse().ok()?,
                value => value.as_f64()?,
            };
            Some((x, y))
        })
        .collect();
    let options = PlotOptions {
        width,
        height: PLOT_HEIGHT,
        title: metric.to_owned(),
        x_label: "_step".to_owned(),
    };
    Ok(plot(&points, &options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Option<String> {
        let logged: Vec<LoggedKey<'_>> = names
            .iter()
            .map(|name| LoggedKey { name, numeric: true })
            .collect();
        choose_metric(&logged).map(str::to_owned)
    }

    #[test]
    fn a_loss_is_looked_at_first() {
        assert_eq!(chosen(&["acc", "val/loss", "loss"]).as_deref(), Some("loss"));
        assert_eq!(
            chosen(&["acc", "val/loss", "train/loss"]).as_deref(),
            Some("train/loss")
        );
        assert_eq!(chosen(&["acc", "my_loss_term"]).as_deref(), Some("my_loss_term"));
        assert_eq!(chosen(&["_step", "acc"]).as_deref(), Some("acc"));
        assert_eq!(chosen(&["_step", "_runtime"]), None);
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn keys_and_types_are_read_from_what_the_server_knows() {
        let text = r#"{"lastStep":9,"keys":{"loss":{"typeCounts":[{"type":"number","count":10}]},
            "note":{"typeCounts":[{"type":"string","count":1}]},"odd":{}}}"#;
        let value = Value::parse(text).unwrap();
        let keys = logged_keys(value.as_map().unwrap());
        assert_eq!(
            keys,
            [("loss", true), ("note", false), ("odd", true)]
                .map(|(name, numeric)| LoggedKey { name, numeric })
        );
        assert!(logged_keys(&Map::new()).is_empty());
    }
}
