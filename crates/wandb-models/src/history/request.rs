//! The three requests for rows (protocol §2.9), as both samples and scans make them.

use cynic::QueryBuilder;
use serde::Serialize;
use wandb_core::{Error, Result, path::RunPath};
use wandb_schema::{
    operations::history as wire,
    scalars::{Int64, Json, JsonString},
};

use crate::Api;

/// Which rows to reduce to which keys: one list of rows of a reduced request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'a> {
    /// The x axis first, as the official client writes them.
    pub(super) keys: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_step: Option<i64>,
    /// Inclusive, other than everywhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_step: Option<i64>,
    pub(super) samples: u32,
}

/// Whole rows as the texts that were logged: of the steps `range.0..range.1`, or of the whole run.
pub(super) async fn whole_rows(
    api: &Api,
    path: &RunPath,
    range: Option<(i64, i64)>,
    samples: u32,
    description: &str,
) -> Result<Vec<String>> {
    let operation = wire::HistoryPage::build(wire::HistoryPageVariables {
        project: path.project().as_str().to_owned(),
        entity: Some(path.entity().as_str().to_owned()),
        name: path.run().as_str().to_owned(),
        min_step: range.map(|(low, _)| Int64(low)),
        max_step: range.map(|(_, high)| Int64(high)),
        samples: i32::try_from(samples).unwrap_or(i32::MAX),
    });
    let answer: wire::HistoryPage = api.execute(&operation, description).await?;
    let run = answer
        .project
        .and_then(|project| project.run)
        .ok_or_else(|| gone(path))?;
    Ok(run.history)
}

/// Rows reduced to keys, one raw JSON list per spec.
pub(super) async fn reduced_rows(
    api: &Api,
    path: &RunPath,
    specs: &[Spec<'_>],
    description: &str,
) -> Result<Vec<Option<Json>>> {
    let text = |spec| {
        serde_json::to_string(spec)
            .map(JsonString)
            .map_err(|error| Error::invalid_input("the keys cannot be written as JSON").with_source(error))
    };
    let operation = wire::SampledHistoryPage::build(wire::SampledHistoryVariables {
        project: path.project().as_str().to_owned(),
        entity: Some(path.entity().as_str().to_owned()),
        name: path.run().as_str().to_owned(),
        specs: specs.iter().map(text).collect::<Result<_>>()?,
    });
    let answer: wire::SampledHistoryPage = api.execute(&operation, description).await?;
    let run = answer
        .project
        .and_then(|project| project.run)
        .ok_or_else(|| gone(path))?;
    if run.sampled_history.len() != specs.len() {
        return Err(Error::protocol(
            "the server gave another number of row lists than were asked for",
        ));
    }
    Ok(run.sampled_history)
}

/// A sample of the system metrics, as the texts that were sent.
pub(super) async fn system_rows(api: &Api, path: &RunPath, samples: u32) -> Result<Vec<String>> {
    let operation = wire::RunEvents::build(wire::RunEventsVariables {
        project: path.project().as_str().to_owned(),
        entity: Some(path.entity().as_str().to_owned()),
        name: path.run().as_str().to_owned(),
        samples: i32::try_from(samples).unwrap_or(i32::MAX),
    });
    let description = format!("sample the system metrics of run \"{path}\"");
    let answer: wire::RunEvents = api.execute(&operation, &description).await?;
    let run = answer
        .project
        .and_then(|project| project.run)
        .ok_or_else(|| gone(path))?;
    Ok(run.events)
}

fn gone(path: &RunPath) -> Error {
    Error::not_found(format!("run \"{path}\"")).with_hint("it may have been deleted meanwhile")
}
