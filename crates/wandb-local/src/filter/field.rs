//! The names of run fields, and where each is stored. Snake case and camel case are both in use.

/// What a field name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A text column of `runs r`.
    Text {
        column: &'static str,
    },
    /// A column of microseconds since 1970.
    Time {
        column: &'static str,
    },
    /// A numeric SQL expression.
    Number {
        expression: &'static str,
    },
    Tags,
    /// Whether a metric was logged.
    HistoryKey(&'a str),
    /// A value inside a JSON column.
    Json {
        document: Document,
        path: &'a str,
    },
}

/// The two JSON columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    Config,
    Summary,
}

impl Document {
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Config => "r.config_query",
            Self::Summary => "r.summary_query",
        }
    }
}

const CONFIG: [&str; 1] = ["config."];
const SUMMARY: [&str; 3] = ["summary_metrics.", "summaryMetrics.", "summary."];
const HISTORY_KEYS: [&str; 2] = ["keys_info.keys.", "keysInfo.keys."];

impl<'a> Field<'a> {
    /// `None` for a name that runs do not have.
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let after = |prefixes: &[&str]| {
            prefixes
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))
                .filter(|rest| !rest.is_empty())
        };
        if let Some(path) = after(&CONFIG) {
            return Some(Self::Json {
                document: Document::Config,
                path,
            });
        }
        if let Some(path) = after(&SUMMARY) {
            return Some(Self::Json {
                document: Document::Summary,
                path,
            });
        }
        if let Some(key) = after(&HISTORY_KEYS) {
            return Some(Self::HistoryKey(key));
        }
        let text = |column| Some(Self::Text { column });
        let time = |column| Some(Self::Time { column });
        match name {
            "name" => text("r.name"),
            "display_name" | "displayName" => text("r.display_name"),
            "state" => text("r.state"),
            "group" => text("r.group_name"),
            "job_type" | "jobType" => text("r.job_type"),
            "host" => text("r.host"),
            "commit" => text("r.commit_hash"),
            "program" => text("r.program"),
            "repo" => text("r.repo"),
            "notes" => text("r.notes"),
            "description" => text("r.description"),
            "sweep" | "sweep_name" | "sweepName" => text("r.sweep_name"),
            "user" | "username" => text("r.user_name"),
            "created_at" | "createdAt" => time("r.created_at"),
            "updated_at" | "updatedAt" => time("r.updated_at"),
            "heartbeat_at" | "heartbeatAt" => time("r.heartbeat_at"),
            "duration" => Some(Self::Number {
                expression: "((r.heartbeat_at - r.created_at) / 1000000.0)",
            }),
            "tags" => Some(Self::Tags),
            _ => None,
        }
    }
}
