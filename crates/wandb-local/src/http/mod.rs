//! The HTTP face of the server: routes, and what is done to every request.

mod auth;
mod body;
pub(crate) mod bytes;
mod file_stream;
mod graphql;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::app::App;
use crate::faults;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// All routes, ready to serve.
pub(crate) fn router(app: Arc<App>) -> Router {
    let plan = app.faults.clone();
    Router::new()
        .route("/graphql", post(graphql::handle))
        .route(
            "/files/{entity}/{project}/{run}/file_stream",
            post(file_stream::handle),
        )
        .fallback(unknown)
        .with_state(Arc::clone(&app))
        .merge(bytes::routes(Arc::clone(&app)))
        .merge(bytes::fallback_routes(Arc::clone(&app)))
        // Each handler reads its body within its own limit; the extractors' is for bodies they never read.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(app, count))
        // Outermost: an injected fault knows neither keys nor limits.
        .layer(middleware::from_fn_with_state(plan, faults::inject))
}

/// A path that is not there, with or without a key: nothing is told but that. The official SDK asks for a telemetry
/// endpoint without a key, and takes 404 as "this server has none"; a 401 it would print at the end of every run.
async fn unknown() -> Response {
    // Not in the words of GraphQL, by which clients know that an object is missing and not the endpoint.
    let body = serde_json::json!({ "error": "no such endpoint" });
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}

/// Counts the request against the limit, and says in every answer where the caller stands.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let standing = app.rate.count(Instant::now());
    let mut response = if standing.admitted {
        next.run(request).await
    } else {
        let mut refusal = auth::error(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded");
        refusal
            .headers_mut()
            .insert(http::header::RETRY_AFTER, HeaderValue::from(standing.reset));
        refusal
    };
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(standing.limit));
    headers.insert(REMAINING, HeaderValue::from(standing.remaining));
    headers.insert(RESET, HeaderValue::from(standing.reset));
    response
}
