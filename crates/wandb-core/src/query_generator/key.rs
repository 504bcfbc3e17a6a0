//! Keys of reports: a section with a name.

use serde::{Deserialize, Serialize};

use super::QueryGenerator;

/// Where a key of a report lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Section {
    /// The config: `config.<name>` on the server.
    Config,
    /// The summary: `summary_metrics.<name>`.
    Summary,
    /// The metrics: `keys_info.keys.<name>`.
    KeysInfo,
    /// The attributes of the run, as they are.
    Run,
    /// One tag; the name is the tag.
    Tags,
}

impl Section {
    pub(super) const ALL: [Self; 5] = [Self::Config, Self::Summary, Self::KeysInfo, Self::Run, Self::Tags];

    /// The name in a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Summary => "summary",
            Self::KeysInfo => "keys_info",
            Self::Run => "run",
            Self::Tags => "tags",
        }
    }

    /// What stands before the name in a server path.
    fn prefix(self) -> &'static str {
        match self {
            Self::Config => "config.",
            Self::Summary => "summary_metrics.",
            Self::KeysInfo => "keys_info.keys.",
            Self::Run => "",
            Self::Tags => "tags.",
        }
    }
}

/// A key of a report, `{"section": "config", "name": "lr"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Where it lives.
    pub section: Section,
    /// Its name there.
    pub name: String,
}

impl Key {
    /// A key.
    #[must_use]
    pub fn new(section: Section, name: impl Into<String>) -> Self {
        Self {
            section,
            name: name.into(),
        }
    }
}

/// A key to sort by, `{"key": {…}, "ascending": true}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SortKey {
    /// The key.
    pub key: Key,
    /// Smallest first. If it is missing: largest first, as in the official class.
    #[serde(default)]
    pub ascending: bool,
}

/// The sort of a report, `{"keys": […]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SortKeys {
    /// The keys, the first one counting most.
    pub keys: Vec<SortKey>,
}

impl QueryGenerator {
    /// The path on the server, for example `summary_metrics.loss`.
    #[must_use]
    pub fn key_to_server_path(key: &Key) -> String {
        format!("{}{}", key.section.prefix(), key.name)
    }

    /// The key of a path on the server. A path without a known section is an attribute of the run.
    #[must_use]
    pub fn server_path_to_key(path: &str) -> Key {
        Section::ALL
            .into_iter()
            .filter(|section| *section != Section::Run)
            .find_map(|section| Some(Key::new(section, path.strip_prefix(section.prefix())?)))
            .unwrap_or_else(|| Key::new(Section::Run, path))
    }
}
