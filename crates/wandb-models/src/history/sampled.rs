//! The sampled history (inventory 4.1).

use std::sync::Arc;

use wandb_core::{Error, Result, path::RunPath};

use super::{
    RowBatch,
    extent::Extent,
    fetch::{read_lines, read_objects},
    keys::tidy,
    request::{self, Spec},
    row::{BatchBuilder, STEP},
};
use crate::Api;

/// How many rows a sample has unless the caller says (official default).
const DEFAULT_SAMPLES: u32 = 500;

/// Which rows to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HistoryStream {
    /// What the run logged.
    #[default]
    Default,
    /// System metrics: CPU, memory, GPU over time. They have no steps and no keys to choose.
    System,
}

/// A request for a sample of the history. Made by [`Run::history`](crate::Run::history).
#[derive(Debug, Clone)]
#[must_use]
pub struct History {
    api: Api,
    path: Arc<RunPath>,
    stream: HistoryStream,
    samples: u32,
    keys: Vec<String>,
    x_axis: String,
}

/// A sample of the history: **not** every row.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SampledHistory {
    /// The rows, in the order of the x axis.
    pub batch: RowBatch,
    /// How many rows were asked for; the server gives about as many.
    pub samples: u32,
    /// How many rows the run has, if the server counts them; `None` for system metrics. A sample of whole rows is every
    /// row when this is not larger than [`samples`](Self::samples).
    pub sampled_from: Option<u64>,
    /// The keys that were asked for, the x axis among them, and that this run never logged, as far as the server says: a
    /// misspelled key gives no rows, and this is how to tell. Empty for a run without history and for system metrics.
    pub never_logged: Vec<String>,
}

impl History {
    pub(crate) fn new(api: Api, path: Arc<RunPath>, stream: HistoryStream) -> Self {
        Self {
            api,
            path,
            stream,
            samples: DEFAULT_SAMPLES,
            keys: Vec::new(),
            x_axis: STEP.to_owned(),
        }
    }

    /// About how many rows; 500 unless set.
    pub fn samples(mut self, samples: u32) -> Self {
        self.samples = samples;
        self
    }

    /// Only these keys, and only rows that have **all** of them (the server's rule). Without keys, whole rows.
    pub fn keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        self.keys = tidy(keys);
        self
    }

    /// The key along which the server thins and sorts when keys are given; `_step` unless set.
    pub fn x_axis(mut self, key: impl Into<String>) -> Self {
        self.x_axis = key.into();
        self
    }

    /// Which rows to sample; the logged ones unless set.
    pub fn stream(mut self, stream: HistoryStream) -> Self {
        self.stream = stream;
        self
    }

    /// Asks for the sample.
    ///
    /// # Errors
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) for zero samples or for keys of system metrics (the official
    /// client gives an empty list there), [`NotFound`](wandb_core::ErrorKind::NotFound) when the run is gone.
    pub async fn load(self) -> Result<SampledHistory> {
        self.sample()
            .await
            .map_err(|error| error.in_operation(self.description()))
    }

    async fn sample(&self) -> Result<SampledHistory> {
        if self.samples == 0 || i32::try_from(self.samples).is_err() {
            return Err(Error::invalid_input(format!(
                "{} samples cannot be asked for: 1 to {} can",
                self.samples,
                i32::MAX
            )));
        }
        let (batch, sampled_from, never_logged) = match self.stream {
            HistoryStream::System if !self.keys.is_empty() => {
                return Err(Error::invalid_input("system metrics cannot be reduced to keys")
                    .with_hint("leave the keys out and pick them from the rows"));
            }
            HistoryStream::System => (self.system().await?, None, Vec::new()),
            HistoryStream::Default => {
                let extent = super::extent(&self.api, &self.path).await?;
                let batch = if self.keys.is_empty() {
                    self.whole_rows().await?
                } else {
                    self.chosen_keys(&extent).await?
                };
                let never_logged = extent.never_logged(self.named());
                (
                    batch,
                    extent.line_count,
                    never_logged.into_iter().map(str::to_owned).collect(),
                )
            }
        };
        Ok(SampledHistory {
            batch,
            samples: self.samples,
            sampled_from,
            never_logged,
        })
    }

    /// The keys that the caller named. Every row has a step, whether the server lists it as a key or not.
    fn named(&self) -> impl Iterator<Item = &str> {
        let axis = (self.x_axis != STEP && !self.keys.contains(&self.x_axis)).then_some(&self.x_axis);
        axis.into_iter().chain(&self.keys).map(String::as_str)
    }

    async fn whole_rows(&self) -> Result<RowBatch> {
        let lines =
            request::whole_rows(&self.api, &self.path, None, self.samples, &self.description()).await?;
        let mut builder = BatchBuilder::with_capacity(lines.len());
        read_lines(&mut builder, &lines)?;
        Ok(builder.finish())
    }

    async fn system(&self) -> Result<RowBatch> {
        let lines = request::system_rows(&self.api, &self.path, self.samples).await?;
        let mut builder = BatchBuilder::with_capacity(lines.len());
        for line in &lines {
            builder.read_in_place(line, |_, value| value)?;
        }
        Ok(builder.finish())
    }

    async fn chosen_keys(&self, extent: &Extent) -> Result<RowBatch> {
        let others = self
            .keys
            .iter()
            .map(String::as_str)
            .filter(|key| *key != self.x_axis);
        let spec = Spec {
            keys: std::iter::once(self.x_axis.as_str()).chain(others).collect(),
            min_step: None,
            max_step: None,
            samples: self.samples,
        };
        let lists = request::reduced_rows(&self.api, &self.path, &[spec], &self.description()).await?;
        let mut builder = BatchBuilder::default();
        for list in lists.iter().flatten() {
            read_objects(list.0.get(), extent, |text, convert| {
                if self.x_axis == STEP {
                    builder.read(text, convert)
                } else {
                    // A sample along another axis has no steps, and keeps the server's order.
                    builder.read_in_place(text, convert)
                }
            })?;
        }
        Ok(builder.finish())
    }

    fn description(&self) -> String {
        format!("sample the history of run \"{}\"", self.path)
    }
}
