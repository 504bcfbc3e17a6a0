//! The names of fields, and where each is stored. Snake case and camel case are both in use.

/// What a field name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A text column of `runs r`.
    Text { column: &'static str },
    /// A column of microseconds since 1970.
    Time { column: &'static str },
    /// A numeric SQL expression.
    Number { expression: &'static str },
    /// The elements of a list.
    List(List),
    /// Whether a metric was logged.
    HistoryKey(&'a str),
    /// A value inside a JSON column.
    Json { document: Document, path: &'a str },
}

/// A list: `SELECT {element} FROM {rows}`, where `rows` ends in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct List {
    pub(super) element: &'static str,
    pub(super) rows: &'static str,
}

/// What is filtered and sorted, and the names of its tables in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// `runs r`
    Runs,
    /// `artifact_memberships m`, `artifacts a`
    Versions,
    /// `artifact_collections c`, `artifact_types t`
    Collections,
}

/// The JSON columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    Config,
    Summary,
    /// Of a version.
    Metadata,
}

impl Document {
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Config => "r.config_query",
            Self::Summary => "r.summary_query",
            Self::Metadata => "a.metadata",
        }
    }
}

const RUN_TAGS: List = List {
    element: "x.tag",
    rows: "run_tags x WHERE x.run_id = r.id",
};
const ALIASES: List = List {
    element: "x.alias",
    rows: "artifact_aliases x WHERE x.membership_id = m.id",
};
const VERSION_TAGS: List = List {
    element: "x.name",
    rows: "artifact_tags x WHERE x.artifact_id = a.id",
};
const COLLECTION_TAGS: List = List {
    element: "x.name",
    rows: "collection_tags x WHERE x.collection_id = c.id",
};
const CONFIG: [&str; 1] = ["config."];
const SUMMARY: [&str; 3] = ["summary_metrics.", "summaryMetrics.", "summary."];
const HISTORY_KEYS: [&str; 2] = ["keys_info.keys.", "keysInfo.keys."];

impl<'a> Field<'a> {
    /// `None` for a name that the subject does not have.
    pub(super) fn parse(subject: Subject, name: &'a str) -> Option<Self> {
        match subject {
            Subject::Runs => Self::of_run(name),
            Subject::Versions => Self::of_version(name),
            Subject::Collections => Self::of_collection(name),
        }
    }

    fn of_version(name: &'a str) -> Option<Self> {
        let text = |column| Some(Self::Text { column });
        let time = |column| Some(Self::Time { column });
        let number = |expression| Some(Self::Number { expression });
        if let Some(path) = name.strip_prefix("metadata.").filter(|path| !path.is_empty()) {
            return Some(Self::Json {
                document: Document::Metadata,
                path,
            });
        }
        match name {
            "version" | "name" => text("('v' || m.version_index)"),
            "version_index" | "versionIndex" => number("m.version_index"),
            "state" => text("a.state"),
            "digest" => text("a.digest"),
            "description" => text("a.description"),
            "size" => number("a.size"),
            "file_count" | "fileCount" => number("a.file_count"),
            "history_step" | "historyStep" => number("a.history_step"),
            "created_at" | "createdAt" => time("a.created_at"),
            "updated_at" | "updatedAt" => time("a.updated_at"),
            "alias" | "aliases" => Some(Self::List(ALIASES)),
            "tag" | "tags" => Some(Self::List(VERSION_TAGS)),
            _ => None,
        }
    }

    fn of_collection(name: &'a str) -> Option<Self> {
        match name {
            "name" => Some(Self::Text { column: "c.name" }),
            "description" => Some(Self::Text {
                column: "c.description",
            }),
            "type" => Some(Self::Text { column: "t.name" }),
            "created_at" | "createdAt" => Some(Self::Time {
                column: "c.created_at",
            }),
            "updated_at" | "updatedAt" => Some(Self::Time {
                column: "c.updated_at",
            }),
            "tag" | "tags" => Some(Self::List(COLLECTION_TAGS)),
            _ => None,
        }
    }

    fn of_run(name: &'a str) -> Option<Self> {
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
            "tags" => Some(Self::List(RUN_TAGS)),
            _ => None,
        }
    }
}
