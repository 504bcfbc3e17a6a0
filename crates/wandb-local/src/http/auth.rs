//! Who is asking: the API key on requests, and answers to those who have none.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::store::identity::Identity;

/// An error as the official client reads it, whatever the endpoint (protocol §6.1).
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(serde_json::json!({ "errors": [{ "message": message }] })),
    )
        .into_response()
}

/// Who a request acts for, if it carries an API key of a user; otherwise the answer that says so.
///
/// # Errors
/// 401 with a JSON body (protocol §9).
#[allow(clippy::result_large_err)] // the error is the answer, and is sent as it is
pub(crate) async fn require_key(app: &App, headers: &HeaderMap) -> Result<Arc<Identity>, Response> {
    match app.identify(headers).await {
        Ok(Some(identity)) => return Ok(identity),
        Ok(None) => {}
        Err(failure) => {
            tracing::error!(cause = ?failure, "a key could not be looked up");
            return Err(error(StatusCode::INTERNAL_SERVER_ERROR, &failure.to_string()));
        }
    }
    let message = if headers.contains_key(header::AUTHORIZATION) {
        "invalid API key"
    } else {
        "no API key: send it as the password of HTTP Basic, or as a bearer token"
    };
    let mut response = error(StatusCode::UNAUTHORIZED, message);
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        header::HeaderValue::from_static("Basic realm=\"wandb-local\""),
    );
    Err(response)
}
