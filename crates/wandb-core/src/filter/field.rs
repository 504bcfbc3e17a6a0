//! The fields of a run that a filter or an order can name.

use std::{borrow::Cow, fmt};

use super::{
    error::{FilterError, FilterErrorKind},
    nearest::nearest,
};

/// An attribute of a run, as opposed to its config, its summary and its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RunAttribute {
    /// The run's id, the last part of its URL. On the wire it is called `name`; the name that the app shows is
    /// [`DisplayName`](Self::DisplayName).
    Name,
    /// The name that the app shows.
    DisplayName,
    /// `running`, `finished`, `crashed`, `failed`, …
    State,
    /// The group.
    Group,
    /// The job type.
    JobType,
    /// The host that the run ran on.
    Host,
    /// The name (id) of the sweep that the run belongs to.
    Sweep,
    /// The login name of the user who started the run.
    Username,
    /// The user who started the run.
    User,
    /// The tags, a list of strings.
    Tags,
    /// The notes.
    Notes,
    /// The git commit.
    Commit,
    /// How long the run took, in seconds.
    Duration,
    /// When the run was created, a time.
    CreatedAt,
    /// When the run last gave a sign of life, a time.
    HeartbeatAt,
    /// When the run was last changed, a time.
    UpdatedAt,
    /// Artifacts that the run used. Only the server can compare it.
    InputArtifacts,
    /// Artifacts that the run logged. Only the server can compare it.
    OutputArtifacts,
}

impl RunAttribute {
    /// Every attribute.
    pub const ALL: [Self; 18] = [
        Self::Name,
        Self::DisplayName,
        Self::State,
        Self::Group,
        Self::JobType,
        Self::Host,
        Self::Sweep,
        Self::Username,
        Self::User,
        Self::Tags,
        Self::Notes,
        Self::Commit,
        Self::Duration,
        Self::CreatedAt,
        Self::HeartbeatAt,
        Self::UpdatedAt,
        Self::InputArtifacts,
        Self::OutputArtifacts,
    ];

    /// The canonical name in a Mongo filter, camel case (inventory §3.1).
    #[must_use]
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::DisplayName => "displayName",
            Self::State => "state",
            Self::Group => "group",
            Self::JobType => "jobType",
            Self::Host => "host",
            Self::Sweep => "sweep",
            Self::Username => "username",
            Self::User => "user",
            Self::Tags => "tags",
            Self::Notes => "notes",
            Self::Commit => "commit",
            Self::Duration => "duration",
            Self::CreatedAt => "createdAt",
            Self::HeartbeatAt => "heartbeatAt",
            Self::UpdatedAt => "updatedAt",
            Self::InputArtifacts => "inputArtifacts",
            Self::OutputArtifacts => "outputArtifacts",
        }
    }

    /// The name in the text grammar, snake case like the official attributes.
    #[must_use]
    pub fn text_name(self) -> &'static str {
        match self {
            Self::DisplayName => "display_name",
            Self::JobType => "job_type",
            Self::CreatedAt => "created_at",
            Self::HeartbeatAt => "heartbeat_at",
            Self::UpdatedAt => "updated_at",
            Self::InputArtifacts => "input_artifacts",
            Self::OutputArtifacts => "output_artifacts",
            same => same.wire_name(),
        }
    }

    /// The attribute of a name in camel or snake case (protocol §2.8: both are in use).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|attribute| attribute.wire_name() == name || attribute.text_name() == name)
    }

    /// Whether values are times and are compared as times.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::CreatedAt | Self::HeartbeatAt | Self::UpdatedAt)
    }

    /// Whether only the server can compare it, because no run carries its value.
    #[must_use]
    pub fn is_server_only(self) -> bool {
        matches!(self, Self::InputArtifacts | Self::OutputArtifacts)
    }
}

/// A key inside a run's config, summary or metrics, as it stands on the wire.
///
/// A dot is either part of a key or goes down into a nested object. The wire form cannot tell the two apart, so a path
/// means: the literal key first, else the nested value (protocol §2.8).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPath(String);

impl KeyPath {
    /// A path of its wire form.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The wire form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is a dot in it, so that it may be a literal dotted key or a nested path.
    #[must_use]
    pub fn is_dotted(&self) -> bool {
        self.0.contains('.')
    }
}

impl<T: Into<String>> From<T> for KeyPath {
    fn from(path: T) -> Self {
        Self::new(path)
    }
}

impl fmt::Display for KeyPath {
    /// The form of the text grammar: bare, or in quotes if it holds anything but words and dots.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = self
            .0
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(is_word_character));
        if bare {
            formatter.write_str(&self.0)
        } else {
            write!(formatter, "{}", serde_json::Value::from(self.0.as_str()))
        }
    }
}

/// Whether a character may stand in an unquoted part of a field in the text grammar.
///
/// Slashes, dashes and colons are common in metric names (`train/loss`, `top-1`), and the grammar has no arithmetic that
/// they could be taken for.
pub(super) fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '/' | ':' | '@' | '%' | '#')
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FieldPath {
    /// An attribute of the run.
    Attribute(RunAttribute),
    /// A config value, unwrapped. In the printed forms `config.lr.value`, as the app writes it, is the key `lr`.
    Config(KeyPath),
    /// A summary value.
    Summary(KeyPath),
    /// Whether the run logged a metric of this name; used with `exists`.
    KeysInfo(KeyPath),
}

/// The wire prefixes of the key sections (inventory §3.3).
const CONFIG: &str = "config.";
const SUMMARY: &str = "summary_metrics.";
const KEYS_INFO: &str = "keys_info.keys.";

impl FieldPath {
    /// Reads a field of a Mongo filter. Beside the canonical names it takes both cases of an attribute,
    /// `config.<key>.value`, `summary.<key>` (an HTTP 500 on the real server, users P10) and `keys_info.<key>`.
    ///
    /// # Errors
    /// When runs have no such field; the hint is the nearest one.
    pub fn from_wire(name: &str) -> Result<Self, FilterError> {
        if let Some(attribute) = RunAttribute::from_name(name) {
            return Ok(Self::Attribute(attribute));
        }
        type Section = fn(KeyPath) -> FieldPath;
        let sections: [(&str, Section); 5] = [
            (CONFIG, Self::Config),
            (SUMMARY, Self::Summary),
            ("summary.", Self::Summary),
            (KEYS_INFO, Self::KeysInfo),
            ("keys_info.", Self::KeysInfo),
        ];
        for (prefix, section) in sections {
            if let Some(key) = name.strip_prefix(prefix)
                && !key.is_empty()
            {
                let key = if prefix == CONFIG {
                    without_stored_suffix(key)
                } else {
                    key
                };
                return Ok(section(KeyPath::new(key)));
            }
        }
        Err(unknown_field(name))
    }

    /// The canonical name in a Mongo filter.
    #[must_use]
    pub fn to_wire(&self) -> String {
        match self {
            Self::Attribute(attribute) => attribute.wire_name().to_owned(),
            Self::Config(key) => format!("{CONFIG}{}", with_stored_suffix(key).as_str()),
            Self::Summary(key) => format!("{SUMMARY}{}", key.as_str()),
            Self::KeysInfo(key) => format!("{KEYS_INFO}{}", key.as_str()),
        }
    }

    /// Whether values are times and are compared as times.
    #[must_use]
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Attribute(attribute) if attribute.is_time())
    }
}

impl fmt::Display for FieldPath {
    /// The form of the text grammar.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(attribute) => formatter.write_str(attribute.text_name()),
            Self::Config(key) => write!(formatter, "config.{}", with_stored_suffix(key)),
            Self::Summary(key) => write!(formatter, "summary.{key}"),
            // The long form, because a metric may itself be called `keys.…`.
            Self::KeysInfo(key) => write!(formatter, "keys_info.keys.{key}"),
        }
    }
}

/// Whether a config path is a plain key with `.value` behind it, at least once.
///
/// W&B stores the key `lr` as `{"lr": {"value": 0.1}}`, and the app names it `config.lr.value` in filters. So one
/// `.value` behind a plain key is the stored form, not a nested value; a nested value of that name has two.
fn is_stored_form(path: &str) -> bool {
    let plain = path.trim_end_matches(".value");
    plain.len() < path.len() && !plain.is_empty() && !plain.contains('.')
}

fn without_stored_suffix(path: &str) -> &str {
    match path.strip_suffix(".value") {
        Some(key) if is_stored_form(path) => key,
        _ => path,
    }
}

/// The opposite of [`without_stored_suffix`]: a path that it would shorten gets one suffix more.
pub(super) fn with_stored_suffix(key: &KeyPath) -> Cow<'_, KeyPath> {
    if is_stored_form(key.as_str()) {
        Cow::Owned(KeyPath::new(format!("{}.value", key.as_str())))
    } else {
        Cow::Borrowed(key)
    }
}

impl From<RunAttribute> for FieldPath {
    fn from(attribute: RunAttribute) -> Self {
        Self::Attribute(attribute)
    }
}

/// The error for a field that runs do not have.
fn unknown_field(name: &str) -> FilterError {
    let error = FilterError::new(FilterErrorKind::UnknownField, format!("unknown field \"{name}\""));
    let head = name.split('.').next().unwrap_or(name);
    match head {
        "config" | "summary_metrics" | "summary" | "keys_info" => {
            return error.with_hint(format!("name a key: \"{head}.<key>\""));
        }
        "id" | "ID" | "run_id" => return error.with_hint("the run's id is called \"name\" in filters"),
        _ => {}
    }
    let attributes = RunAttribute::ALL
        .into_iter()
        .flat_map(|attribute| [attribute.wire_name(), attribute.text_name()]);
    if name.contains('.') {
        if let Some(section) = nearest(head, ["config", "summary", "summary_metrics", "keys_info"]) {
            return error.with_hint(format!("did you mean \"{section}{}\"?", &name[head.len()..]));
        }
        if let Some(attribute) = nearest(head, attributes) {
            return error.with_nearest(Some(attribute));
        }
    } else if let Some(attribute) = nearest(name, attributes) {
        return error.with_nearest(Some(attribute));
    }
    error.with_hint(format!(
        "a config value is \"config.{name}\", a summary value \"summary.{name}\""
    ))
}
