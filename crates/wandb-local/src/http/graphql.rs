//! `POST /graphql`.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;

use super::auth::{error, require_key};
use crate::app::App;
use crate::graphql::{Caller, defaults};
use crate::store::StoreError;

/// The envelope (protocol §2.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    query: String,
    #[serde(default)]
    variables: Option<Variables>,
    #[serde(default)]
    operation_name: Option<String>,
}

/// Marks requests of processes that write one run together (protocol §1.4).
pub(crate) const SHARED: &str = "x-wandb-use-async-filestream";

/// True when several processes write the run of this request.
pub(crate) fn is_shared(headers: &HeaderMap) -> bool {
    headers
        .get(SHARED)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// Runs one document.
pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match answer(app, &uri, &headers, body).await {
        Ok(response) | Err(response) => response,
    }
}

#[allow(clippy::result_large_err)] // the error is the answer, and is sent as it is
async fn answer(app: Arc<App>, uri: &Uri, headers: &HeaderMap, body: Body) -> Result<Response, Response> {
    let identity = require_key(&app, headers).await?;
    let bytes = super::body::read(&app.store, headers, body).await?;
    let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|failure| {
        error(
            StatusCode::BAD_REQUEST,
            &format!("not a GraphQL request: {failure}"),
        )
    })?;
    app.settle()
        .await
        .map_err(|failure| error(StatusCode::INTERNAL_SERVER_ERROR, &failure.to_string()))?;
    let caller = Caller {
        identity,
        origin: app.origin(headers, uri),
        shared: is_shared(headers),
        app,
    };
    let mut request = Request::new(envelope.query).variables(envelope.variables.unwrap_or_default());
    if let Some(name) = envelope.operation_name.filter(|name| !name.is_empty()) {
        request = request.operation_name(name);
    }
    let (defaults, checked) = match request.parsed_query() {
        Ok(document) => (defaults(document), caller.app.types.check(document)),
        Err(failure) => return Err(error(StatusCode::BAD_REQUEST, &failure.message)),
    };
    for (name, value) in defaults {
        request.variables.entry(name).or_insert(value);
    }
    let mut response = match checked {
        Err(refusal) => async_graphql::Response::from_errors(vec![refusal]),
        Ok(()) => {
            let schema = caller.app.schema.clone();
            // A task of its own, so that a panic in a resolver costs this answer only.
            tokio::spawn(async move { schema.execute(request.data(caller)).await })
                .await
                .map_err(|_| {
                    error(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "the request failed inside the server",
                    )
                })?
        }
    };
    let mut status = StatusCode::OK;
    for failure in &mut response.errors {
        if let Some(code) = failure.source::<StoreError>().and_then(StoreError::code) {
            failure.extensions.get_or_insert_default().set("code", code);
        }
        if let Some(StoreError::Gone(_)) = failure.source::<StoreError>() {
            // Agents stop asking when they read 404, and go on after any other error (protocol §2.12).
            status = StatusCode::NOT_FOUND;
        }
        match failure.source::<StoreError>() {
            Some(cause) if !cause.is_refusal() => {
                tracing::error!(path = ?failure.path, cause = ?cause, "a resolver failed");
            }
            _ => tracing::debug!(path = ?failure.path, "refused: {}", failure.message),
        }
    }
    let text = serde_json::to_vec(&response)
        .map_err(|failure| error(StatusCode::INTERNAL_SERVER_ERROR, &failure.to_string()))?;
    Ok((status, [(header::CONTENT_TYPE, "application/json")], text).into_response())
}
