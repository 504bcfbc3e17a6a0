//! The middleware.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use serde::Deserialize;

use super::body::{cut, flip, slow, swap};
use super::plan::FaultPlan;
use super::rule::FaultEffect;
use crate::http::bytes::refuse;
use crate::signing::TokenError;

/// The one path whose requests have operations.
const GRAPHQL: &str = "/graphql";

/// How much of a GraphQL request is read to learn the operation. A longer one has none.
const MAX_GRAPHQL: usize = 32 << 20;

/// Marks an answer that must not reach the client: its body fails before the first byte, upon which the HTTP layer ends
/// the connection. A transport without connections turns it into an error of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLost;

/// Does to a request what the plan says; for `axum::middleware::from_fn_with_state`.
pub(crate) async fn inject(State(plan): State<FaultPlan>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    // Every other path has no operation, and may have a body of gigabytes that is to stream through.
    let (request, operation) = if path == GRAPHQL && plan.asks_for_operation(&path) {
        match with_operation(request).await {
            Ok(known) => known,
            Err(refusal) => return *refusal,
        }
    } else {
        (request, None)
    };
    let Some(effect) = plan.strike(&path, operation.as_deref()) else {
        return next.run(request).await;
    };
    tracing::debug!(path, ?operation, ?effect, "fault injected");
    match effect {
        FaultEffect::Status { code, retry_after } => {
            drain(request.into_body()).await;
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let message = format!("injected fault: {status}");
            let body =
                axum::Json(serde_json::json!({ "errors": [{ "message": message }], "error": message }));
            let mut response = (status, body).into_response();
            if let Some(after) = retry_after {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
            }
            response
        }
        FaultEffect::ExpiredUrl => {
            drain(request.into_body()).await;
            refuse(TokenError::Expired)
        }
        FaultEffect::ErrorPage => {
            drain(request.into_body()).await;
            let page = "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>\n\
                        <body><h1>We will be back soon</h1></body></html>\n";
            axum::response::Html(page).into_response()
        }
        FaultEffect::Reset => connection_lost(),
        FaultEffect::Lost => {
            // Carried out to the end of its answer, which nobody gets.
            drain(next.run(request).await.into_body()).await;
            connection_lost()
        }
        FaultEffect::Cut { after } => {
            damaged(next.run(request).await, |body, length| cut(body, after, length))
        }
        FaultEffect::Flip { at } => damaged(next.run(request).await, |body, length| flip(body, at, length)),
        FaultEffect::Swap => damaged(next.run(request).await, |body, _| swap(body)),
        FaultEffect::Changed => {
            let (mut parts, body) = request.into_parts();
            // The condition does not hold any more.
            if parts.headers.remove(header::IF_RANGE).is_some() {
                parts.headers.remove(header::RANGE);
            }
            let answer = next.run(Request::from_parts(parts, body)).await;
            let mut answer = damaged(answer, |body, _| swap(body));
            if answer.headers().contains_key(header::ETAG) {
                let tag = HeaderValue::from_static("\"another object\"");
                answer.headers_mut().insert(header::ETAG, tag);
            }
            answer
        }
        FaultEffect::Slow { bytes_per_second } => {
            damaged(next.run(request).await, |body, _| slow(body, bytes_per_second))
        }
    }
}

/// Replaces the body, given its length if it is known. Headers stay: the client is told what it should have got.
fn damaged(response: Response, change: impl FnOnce(Body, Option<u64>) -> Body) -> Response {
    let (mut parts, body) = response.into_parts();
    let length = announced(&parts.headers).or_else(|| axum::body::HttpBody::size_hint(&body).exact());
    if let Some(length) = length {
        parts
            .headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, change(body, length))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn connection_lost() -> Response {
    let failure = futures_util::stream::iter([Err::<bytes::Bytes, _>(std::io::Error::from(
        std::io::ErrorKind::ConnectionReset,
    ))]);
    let mut response = Response::new(Body::from_stream(failure));
    response.extensions_mut().insert(ConnectionLost);
    response
}

/// Reads a body to its end. A server that answers before the end of a request is likely to be seen as a broken
/// connection instead, and the fault would be another one from time to time.
async fn drain(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

#[derive(Deserialize)]
struct GraphQl {
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
    #[serde(default)]
    query: String,
}

/// The request, whole again, and its GraphQL operation if it has one.
async fn with_operation(request: Request) -> Result<(Request, Option<String>), Box<Response>> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, MAX_GRAPHQL).await.map_err(|_| {
        Box::new((StatusCode::PAYLOAD_TOO_LARGE, "the request cannot be read").into_response())
    })?;
    let operation = serde_json::from_slice::<GraphQl>(&bytes)
        .ok()
        .and_then(|graphql| {
            let named = graphql.operation_name.filter(|name| !name.is_empty());
            named.or_else(|| document_operation(&graphql.query))
        });
    Ok((Request::from_parts(parts, Body::from(bytes)), operation))
}

/// The name of the first operation of a document: the word after `query` or `mutation` at the top level. Documents hold
/// one operation (protocol §2.1), possibly after fragments.
pub(super) fn document_operation(document: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut keyword = false;
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if is_name(first) {
            let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
            let word = &rest[..end];
            if keyword {
                return Some(word.to_owned());
            }
            keyword = depth == 0 && matches!(word, "query" | "mutation" | "subscription");
            rest = &rest[end..];
            continue;
        }
        match first {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            '#' => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            _ => {}
        }
        // `query ($x: Int)` and `query {` have no name.
        keyword &= first.is_whitespace();
        rest = &rest[first.len_utf8()..];
    }
    None
}
