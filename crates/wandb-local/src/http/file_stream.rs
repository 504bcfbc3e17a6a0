//! `POST /files/{entity}/{project}/{run}/file_stream` (protocol §4).

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::auth::{error, require_key};
use super::graphql::is_shared;
use crate::app::App;
use crate::store::runs::{self, Wanted};
use crate::store::stream::{self, Prepared};
use crate::store::{StoreError, projects, time};

/// Names the process among those that write one run (protocol §1.4).
const WRITER: &str = "x-wandb-async-client-id";

/// Takes lines of a run.
pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    Path((entity, project, run)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match answer(&app, entity, project, run, &headers, body).await {
        Ok(response) | Err(response) => response,
    }
}

#[allow(clippy::result_large_err)] // the error is the answer, and is sent as it is
async fn answer(
    app: &App,
    entity: String,
    project: String,
    run: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    let identity = require_key(app, headers).await?;
    let bytes = super::body::read(&app.store, headers, body).await?;
    let writer = is_shared(headers).then(|| {
        headers
            .get(WRITER)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    });
    // Reading and checking lines is work for a reading thread: the writing one is what all runs share.
    let prepared = app
        .store
        .read(move |_| Prepared::new(&bytes, writer))
        .await
        .map_err(|failure| failed(&failure))?;
    let missing = format!("run {entity}/{project}/{run} not found");
    let outcome = app
        .store
        .write(move |db| {
            let Some(project) = projects::find_to_change(db, &identity, Some(&entity), &project)? else {
                return Ok(None);
            };
            match runs::find(db, project.id, &run, Wanted::default())? {
                Some(run) => stream::apply(db, run.id, &prepared, time::now()),
                None => Ok(None),
            }
        })
        .await
        .map_err(|failure| failed(&failure))?
        .ok_or_else(|| error(StatusCode::NOT_FOUND, &missing))?;
    let mut reply = json!({ "exitcode": null, "limits": {} });
    if outcome.stopped {
        reply["stopped"] = json!(true);
    }
    Ok(Json(reply).into_response())
}

/// A refused request is final for the client, anything else is worth a retry (protocol §6.3).
fn failed(failure: &StoreError) -> Response {
    if !failure.is_refusal() {
        tracing::error!(cause = ?failure, "lines could not be stored");
    }
    let status = if matches!(failure, StoreError::Denied(_)) {
        StatusCode::FORBIDDEN
    } else if failure.is_refusal() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    error(status, &failure.to_string())
}
