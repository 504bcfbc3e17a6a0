//! What a run carries.

use std::sync::OnceLock;

use serde::Serialize;
use wandb_core::{
    Error, Result, Value,
    timestamp::Timestamp,
    value::{FitError, Map},
};

use super::{RunState, config};

/// Whose a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RunUser {
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
}

/// The data of one run, under the official snake_case names.
///
/// Config, summary and system metrics are kept as the text that the server sent and read when they are first asked for:
/// a listing that does not look at them does not pay for them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunData {
    /// The run id, the last part of its path (`name` on the wire).
    pub id: String,
    /// The name that users see (`displayName` on the wire); the id when the server has none.
    pub name: String,
    /// The opaque id that mutations take (`id` on the wire).
    pub storage_id: String,
    /// The entity that owns the run.
    pub entity: String,
    /// The project that holds it.
    pub project: String,
    /// `[entity, project, id]`.
    pub path: [String; 3],
    /// The page in the browser.
    pub url: String,
    /// How far it is.
    pub state: RunState,
    /// The tags.
    pub tags: Vec<String>,
    /// The notes.
    pub notes: Option<String>,
    /// The description; W&B's older word for notes.
    pub description: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// The job type.
    pub job_type: Option<String>,
    /// The commit of the code.
    pub commit: Option<String>,
    /// The host that the run ran on.
    pub host: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last heard of.
    pub heartbeat_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether the key may only read it.
    pub read_only: bool,
    /// Whose it is; `None` when the account is gone.
    pub user: Option<RunUser>,
    /// The id of its sweep.
    pub sweep_name: Option<String>,
    /// How many history rows the server has.
    pub history_line_count: Option<i64>,
    pub(super) config: Json,
    pub(super) summary: Json,
    pub(super) system_metrics: Json,
    pub(super) history_keys: Json,
}

/// A JSON object that is read when it is first asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Json {
    text: Option<Box<str>>,
    /// Whether this part was asked for; if not, `None` means nothing.
    asked: bool,
    /// Whether it was asked for as a whole.
    whole: bool,
    read: OnceLock<Result<Map>>,
}

impl Json {
    pub(super) fn new(text: Option<String>, asked: bool) -> Self {
        Self {
            text: text.map(String::into_boxed_str),
            asked,
            whole: asked,
            read: OnceLock::new(),
        }
    }

    /// Only some keys were asked for.
    pub(super) fn partial(mut self, partial: bool) -> Self {
        self.whole &= !partial;
        self
    }

    /// The text, if the part was asked for as a whole; an object without members when the server has none.
    pub(super) fn whole_text(&self) -> Option<&str> {
        self.whole.then(|| self.text().unwrap_or("{}"))
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    pub(super) fn asked(&self) -> bool {
        self.asked
    }

    fn map(&self, what: &str, read: impl FnOnce(Value) -> Map) -> Result<&Map> {
        if !self.asked {
            return Err(
                Error::invalid_input(format!("the {what} was not selected in this listing"))
                    .with_hint("add it to the selection, or reload the run"),
            );
        }
        let result = self.read.get_or_init(|| {
            let text = self.text.as_deref().unwrap_or("{}");
            match Value::parse(text) {
                Ok(value @ Value::Map(_)) => Ok(read(value)),
                Ok(Value::Null) => Ok(Map::new()),
                Ok(_) => Err(Error::protocol(format!(
                    "the {what} of the run is not a JSON object"
                ))),
                Err(error) => {
                    Err(Error::protocol(format!("the {what} of the run is not JSON")).with_source(error))
                }
            }
        });
        result.as_ref().map_err(Clone::clone)
    }
}

fn whole(value: Value) -> Map {
    match value {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

impl RunData {
    /// The config: user keys to plain values, unwrapped exactly once, without W&B's own `_wandb` and `wandb_version`.
    ///
    /// # Errors
    /// [`Protocol`](wandb_core::ErrorKind::Protocol) when the server sent no JSON object, and
    /// [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when a listing did not select the config.
    pub fn config(&self) -> Result<&Map> {
        self.config.map("config", |value| config::unwrap(whole(value)))
    }

    /// The config as the server holds it, as text: wrapped, with descriptions and W&B's own keys. `None` without one.
    #[must_use]
    pub fn raw_config(&self) -> Option<&str> {
        self.config.text()
    }

    /// The config as a type of the caller's.
    ///
    /// # Errors
    /// As [`config`](Self::config), or [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when it does not fit.
    pub fn config_as<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.config()?.to().map_err(|error: FitError| {
            Error::invalid_input(format!("the config of run {:?} does not fit the type", self.id))
                .with_source(error)
        })
    }

    /// The summary: the last (or chosen) value per metric, with `_step`, `_runtime`, `_timestamp`.
    ///
    /// # Errors
    /// As [`config`](Self::config).
    pub fn summary(&self) -> Result<&Map> {
        self.summary.map("summary", whole)
    }

    /// The summary as the server holds it, as text.
    #[must_use]
    pub fn raw_summary(&self) -> Option<&str> {
        self.summary.text()
    }

    /// The summary as a type of the caller's.
    ///
    /// # Errors
    /// As [`summary`](Self::summary), or [`InvalidInput`](wandb_core::ErrorKind::InvalidInput) when it does not fit.
    pub fn summary_as<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.summary()?.to().map_err(|error: FitError| {
            Error::invalid_input(format!("the summary of run {:?} does not fit the type", self.id))
                .with_source(error)
        })
    }

    /// The latest system metrics.
    ///
    /// # Errors
    /// As [`config`](Self::config).
    pub fn system_metrics(&self) -> Result<&Map> {
        self.system_metrics.map("system metrics", whole)
    }

    /// Which keys the history has, with counts by type: `{"lastStep": …, "keys": {…}}` (protocol §2.9). Empty without
    /// history.
    ///
    /// # Errors
    /// As [`config`](Self::config).
    pub fn history_keys(&self) -> Result<&Map> {
        self.history_keys.map("history keys", whole)
    }

    /// The user's login name.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.user.as_ref()?.username.as_deref()
    }

    /// How long the run took so far: from its creation to its last sign of life, in seconds.
    #[must_use]
    pub fn duration_seconds(&self) -> Option<f64> {
        let micros = self.heartbeat_at?.unix_microseconds() - self.created_at.unix_microseconds();
        Some(micros as f64 / 1e6)
    }

    /// Whether the state is one in which nothing more is logged, unless the run is resumed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state.is_over() == Some(true)
    }
}
