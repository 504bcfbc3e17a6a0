//! One window of a scan: asking, and reading what comes.

use std::collections::BTreeMap;

use wandb_core::{
    Error, Result, Value,
    path::RunPath,
    value::{ParseValueError, Scanner},
};

use super::{
    extent::Extent,
    keys::KeyChoice,
    plan::{Verdict, Window, judge},
    request::{self, Spec},
    row::{BatchBuilder, RowBatch, RowError},
};
use crate::Api;

/// Above so many keys an outer join asks for whole rows: one list per key would repeat the step for each.
const MAX_SPECS: usize = 8;

/// What a scan asks each window for.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) api: Api,
    pub(super) path: std::sync::Arc<RunPath>,
    pub(super) choice: KeyChoice,
    pub(super) extent: Extent,
    /// Whether the server can reduce the rows to the keys without losing anything.
    reduces: bool,
}

/// The answer to one window.
#[derive(Debug)]
pub(super) enum Answer {
    /// Every row.
    Rows(RowBatch),
    /// Ask for these instead.
    Split(Vec<Window>),
}

impl Source {
    pub(super) fn new(api: Api, path: std::sync::Arc<RunPath>, choice: KeyChoice, extent: Extent) -> Self {
        let keys = choice.keys();
        // In reduced rows a logged NaN is the text `"NaN"` (they are strict JSON), which only a key without texts tells
        // from a logged text.
        let too_many = matches!(choice, KeyChoice::Any(_)) && keys.len() > MAX_SPECS;
        let reduces = !keys.is_empty() && !too_many && keys.iter().all(|key| extent.is_scalar(key));
        Self {
            api,
            path,
            choice,
            extent,
            reduces,
        }
    }

    pub(super) fn never_logged(&self) -> Vec<&str> {
        self.extent
            .never_logged(self.choice.keys().iter().map(String::as_str))
    }

    pub(super) async fn window(&self, window: Window) -> Result<Answer> {
        let answer = if self.reduces {
            self.reduced(window).await
        } else {
            self.whole_rows(window).await
        };
        answer.map_err(|error| error.in_operation(self.description(window)))
    }

    async fn whole_rows(&self, window: Window) -> Result<Answer> {
        let range = Some((window.low, window.high));
        let description = self.description(window);
        let lines = request::whole_rows(&self.api, &self.path, range, window.samples(), &description).await?;
        let mut builder = BatchBuilder::with_capacity(lines.len());
        read_lines(&mut builder, &lines)?;
        if let Some(split) = self.judge(window, &builder)? {
            return Ok(split);
        }
        builder.keep_window(window);
        match &self.choice {
            KeyChoice::Everything => {}
            KeyChoice::All(keys) => builder.project(keys, true),
            KeyChoice::Any(keys) => builder.project(keys, false),
        }
        Ok(Answer::Rows(builder.finish()))
    }

    async fn reduced(&self, window: Window) -> Result<Answer> {
        let lists: Vec<&[String]> = match &self.choice {
            KeyChoice::Any(keys) => keys.chunks(1).collect(),
            choice => vec![choice.keys()],
        };
        let specs: Vec<Spec<'_>> = lists.iter().map(|keys| spec(keys, window)).collect();
        let found = request::reduced_rows(&self.api, &self.path, &specs, &self.description(window)).await?;
        let mut answers = Vec::with_capacity(lists.len());
        for list in found {
            let mut builder = BatchBuilder::default();
            if let Some(list) = list {
                read_objects(list.0.get(), &self.extent, |text, convert| {
                    builder.read(text, convert)
                })?;
            }
            if let Some(split) = self.judge(window, &builder)? {
                return Ok(split);
            }
            builder.keep_window(window);
            answers.push(builder);
        }
        let mut batches: Vec<RowBatch> = answers.into_iter().map(BatchBuilder::finish).collect();
        if batches.len() == 1 {
            return Ok(Answer::Rows(batches.pop().unwrap_or_default()));
        }
        // A resumed run may have several rows of one step. Then the lists do not say which values stood in one row.
        let repeats = |batch: &RowBatch| {
            let mut pairs = batch.rows().windows(2);
            pairs.any(|pair| pair[0].step() == pair[1].step())
        };
        if batches.iter().any(repeats) {
            return self.whole_rows(window).await;
        }
        Ok(Answer::Rows(join(batches)))
    }

    fn judge(&self, window: Window, rows: &BatchBuilder) -> Result<Option<Answer>> {
        match judge(window, &mut rows.steps()) {
            Verdict::Complete => Ok(None),
            Verdict::Split(windows) => Ok(Some(Answer::Split(windows))),
            Verdict::TooDense => Err(Error::protocol(format!(
                "step {} of run \"{}\" holds more rows than can be asked for",
                window.low, self.path
            ))),
        }
    }

    fn description(&self, window: Window) -> String {
        format!(
            "read steps {} to {} of run \"{}\"",
            window.low,
            window.high - 1,
            self.path
        )
    }
}

fn spec(keys: &[String], window: Window) -> Spec<'_> {
    Spec {
        keys: std::iter::once("_step")
            .chain(keys.iter().map(String::as_str))
            .collect(),
        min_step: Some(window.low),
        max_step: Some(window.high - 1),
        samples: window.samples(),
    }
}

pub(super) fn read_lines(builder: &mut BatchBuilder, lines: &[String]) -> Result<()> {
    for line in lines {
        builder.read(line, |_, value| value)?;
    }
    Ok(())
}

/// Walks a list of raw rows. Each row's text goes to `read` with the conversion of its values.
pub(super) fn read_objects<R>(text: &str, extent: &Extent, mut read: R) -> Result<()>
where
    R: FnMut(&str, &dyn Fn(&str, Value) -> Value) -> std::result::Result<(), RowError>,
{
    let convert = |key: &str, value: Value| from_strict(key, value, extent);
    let broken = |error: ParseValueError| {
        Error::protocol("the server gave rows that cannot be read").with_source(error)
    };
    let mut scanner = Scanner::new(text);
    if scanner.peek() == Some(b'n') {
        // `null`: no rows.
        return Ok(());
    }
    let mut failed = None;
    scanner
        .array(|scanner| {
            let row = scanner.skip()?;
            if failed.is_none() {
                failed = read(row, &convert).err();
            }
            Ok(())
        })
        .and_then(|()| scanner.end())
        .map_err(broken)?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Turns the texts that stand for non-finite numbers in strict JSON back into numbers, for keys without texts.
fn from_strict(key: &str, value: Value, extent: &Extent) -> Value {
    let number = match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => return value,
    };
    if extent.types.get(key).is_some_and(|types| !types.has_strings) {
        Value::Float(number)
    } else {
        value
    }
}

/// The outer join on the step, of batches in which each step comes once.
fn join(batches: impl IntoIterator<Item = RowBatch>) -> RowBatch {
    let mut rows: BTreeMap<i64, Vec<(String, Value)>> = BTreeMap::new();
    for batch in batches {
        for row in batch.rows() {
            let entries = rows.entry(row.step()).or_default();
            entries.extend(row.iter().map(|(key, value)| (key.to_owned(), value.clone())));
        }
    }
    let mut builder = BatchBuilder::with_capacity(rows.len());
    for (step, entries) in rows {
        builder.push(step, entries);
    }
    builder.finish()
}
