//! Inputs of mutations. Names are the wire's; what is declared but never read is what clients send and a server
//! without that function has no use for.

use async_graphql::{Enum, ID, InputObject};

use super::scalars::{Duration, JsonString};

/// Input of `upsertBucket`. Null leaves a field alone.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertBucketInput {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    /// The project.
    pub(crate) model_name: Option<String>,
    pub(crate) entity_name: Option<String>,
    pub(crate) group_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) config: Option<JsonString>,
    pub(crate) host: Option<String>,
    #[graphql(name = "debug")]
    pub(crate) _debug: Option<bool>,
    pub(crate) job_program: Option<String>,
    pub(crate) job_repo: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) sweep: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) summary_metrics: Option<JsonString>,
    pub(crate) client_mutation_id: Option<String>,
}

/// Input of `deleteRun`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteRunInput {
    pub(crate) id: ID,
    /// The versions that the run made go with it.
    pub(crate) delete_artifacts: Option<bool>,
    pub(crate) client_mutation_id: Option<String>,
}

/// Input of `updateRunState`.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateRunStateInput {
    pub(crate) id: ID,
    pub(crate) state: String,
    pub(crate) client_mutation_id: Option<String>,
}

/// Input of `stopRun`.
#[derive(Debug, InputObject)]
pub(crate) struct StopRunInput {
    pub(crate) id: ID,
    pub(crate) client_mutation_id: Option<String>,
}

/// Input of `rewindRun`.
#[derive(Debug, InputObject)]
pub(crate) struct RewindRunInput {
    pub(crate) run_name: String,
    pub(crate) entity_name: Option<String>,
    pub(crate) project_name: Option<String>,
    pub(crate) metric_name: String,
    pub(crate) metric_value: f64,
    #[graphql(name = "clientMutationId")]
    pub(crate) _client_mutation_id: Option<String>,
}

/// Input of `createRunFiles`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateRunFilesInput {
    pub(crate) entity_name: String,
    pub(crate) project_name: String,
    pub(crate) run_name: String,
    pub(crate) files: Vec<String>,
}

/// Input of `markRunFilesUploaded`.
#[derive(Debug, InputObject)]
pub(crate) struct MarkRunFilesUploadedInput {
    pub(crate) entity_name: String,
    pub(crate) project_name: String,
    pub(crate) run_name: String,
    pub(crate) files: Vec<String>,
    #[graphql(name = "clientMutationId")]
    pub(crate) _client_mutation_id: Option<String>,
}

/// Input of `deleteFiles`.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteFilesInput {
    pub(crate) files: Vec<ID>,
    pub(crate) project_id: Option<i64>,
    #[graphql(name = "clientMutationId")]
    pub(crate) _client_mutation_id: Option<String>,
}

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum AlertSeverity {
    Info,
    Warn,
    Error,
}

impl AlertSeverity {
    /// As stored.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// Input of `notifyScriptableRunAlert`.
#[derive(Debug, InputObject)]
pub(crate) struct NotifyScriptableRunAlertInput {
    pub(crate) entity_name: String,
    pub(crate) project_name: String,
    pub(crate) run_name: String,
    pub(crate) title: String,
    pub(crate) text: Option<String>,
    pub(crate) severity: Option<AlertSeverity>,
    /// Milliseconds.
    pub(crate) wait_duration: Option<Duration>,
    #[graphql(name = "clientMutationId")]
    pub(crate) _client_mutation_id: Option<String>,
}

/// Input of `createCustomChart`.
#[derive(Debug, InputObject)]
pub(crate) struct CreateCustomChartInput {
    pub(crate) entity: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    #[graphql(name = "type")]
    pub(crate) kind: String,
    pub(crate) access: String,
    pub(crate) spec: JsonString,
}
