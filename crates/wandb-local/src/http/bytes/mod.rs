//! `PUT /up/{token}` and `GET /dl/{token}`: file bytes, with no credentials but the token.
//!
//! What a token's object means, and what happens once bytes have arrived, is the business of whoever implements
//! [`ByteStore`].
//!
//! | module | what it holds |
//! |---|---|
//! | `range` | conditions and ranges |
//! | `fallback` | `GET /artifactsV2/…` and `GET /artifacts/…`: artifact bytes by their digest, with the key |

mod fallback;
mod range;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use self::range::{Requested, requested};
use crate::blobs::{BlobError, BlobStore, Expected, Md5Digest, Stored};
use crate::signing::{Action, TokenError, UrlSigner};

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// The path of an upload URL, below which the token stands.
pub(crate) const UPLOAD_PATH: &str = "/up/";
/// The path of a download URL, below which the token stands.
pub(crate) const DOWNLOAD_PATH: &str = "/dl/";

/// The error of an implementation; its text goes to the log only.
pub(crate) type ByteStoreError = Box<dyn std::error::Error + Send + Sync>;

/// What stands behind the URLs.
#[async_trait]
pub(crate) trait ByteStore: Send + Sync + 'static {
    fn signer(&self) -> &UrlSigner;

    fn blobs(&self) -> &BlobStore;

    /// Microseconds since 1970.
    fn now(&self) -> i64;

    /// What is known beforehand of the bytes for `object`; `None` if it does not exist any more.
    async fn expected(&self, object: &str) -> Result<Option<Expected>, ByteStoreError>;

    /// Bytes for `object` have arrived and been checked. False if the object does not exist any more; the bytes are
    /// then garbage. `stored` must live until the database refers to its digest.
    async fn uploaded(&self, object: &str, stored: &Stored) -> Result<bool, ByteStoreError>;

    /// The bytes that `object` stands for; `None` if it does not exist, or has no bytes yet.
    async fn find(&self, object: &str) -> Result<Option<Found>, ByteStoreError>;
}

/// Bytes to be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) digest: Md5Digest,
    /// The `Content-Type`; `application/octet-stream` if unknown.
    pub(crate) content_type: String,
}

pub(crate) use fallback::routes as fallback_routes;

/// The two routes.
pub(crate) fn routes<S: ByteStore>(store: Arc<S>) -> Router {
    // GET answers HEAD as well.
    Router::new()
        .route("/up/{token}", put(upload::<S>))
        .route("/dl/{token}", get(download::<S>))
        .with_state(store)
}

async fn upload<S: ByteStore>(
    State(store): State<Arc<S>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let object = match store.signer().verify(Action::Upload, &token, store.now()) {
        Ok(object) => object,
        Err(error) => return refuse(error),
    };
    let md5 = match request.headers().get(CONTENT_MD5) {
        None => None,
        Some(value) => match value
            .to_str()
            .ok()
            .and_then(|text| Md5Digest::from_base64(text.trim()))
        {
            Some(digest) => Some(digest),
            None => {
                return error(
                    StatusCode::BAD_REQUEST,
                    "Content-MD5 is not the base64 of an MD5 digest",
                );
            }
        },
    };
    // The HTTP layer sees to it that the body is as long as it was announced; the check is for other layers.
    let size = request.headers().get(header::CONTENT_LENGTH);
    let size = size
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let declared = match store.expected(&object).await {
        Ok(Some(declared)) => declared,
        Ok(None) => return error(StatusCode::NOT_FOUND, "the file was deleted"),
        Err(problem) => return failed(problem.as_ref()),
    };
    if let (Some(declared), Some(header)) = (declared.md5, md5)
        && declared != header
    {
        return error(
            StatusCode::BAD_REQUEST,
            "Content-MD5 is not the digest that the file was announced with",
        );
    }
    let expected = Expected {
        md5: declared.md5.or(md5),
        size,
        ..declared
    };
    let body = request.into_body().into_data_stream();
    let stored = match store.blobs().put(body, expected).await {
        Ok(stored) => stored,
        Err(BlobError::Io(source)) => return storage_failed(&source),
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    match store.uploaded(&object, &stored).await {
        Ok(true) => (StatusCode::OK, [(header::ETAG, entity_tag(stored.digest))]).into_response(),
        Ok(false) => error(StatusCode::NOT_FOUND, "the file was deleted"),
        Err(problem) => failed(problem.as_ref()),
    }
}

async fn download<S: ByteStore>(
    State(store): State<Arc<S>>,
    Path(token): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let object = match store.signer().verify(Action::Download, &token, store.now()) {
        Ok(object) => object,
        Err(error) => return refuse(error),
    };
    let found = match store.find(&object).await {
        Ok(Some(found)) => found,
        Ok(None) => return error(StatusCode::NOT_FOUND, "no such file"),
        Err(problem) => return failed(problem.as_ref()),
    };
    serve(store.blobs(), &found, &method, &headers).await
}

/// Answers a GET or HEAD of stored bytes: conditional, in whole or in part.
pub(crate) async fn serve(
    blobs: &BlobStore,
    found: &Found,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    let blob = match blobs.read(found.digest).await {
        Ok(Some(blob)) => blob,
        Ok(None) => {
            tracing::error!(digest = %found.digest, "stored bytes are missing");
            return error(StatusCode::NOT_FOUND, "the bytes of the file are missing");
        }
        Err(problem) => return failed(&problem),
    };
    let tag = entity_tag(found.digest);
    if range::none_match(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let size = blob.size();
    let whole = Requested::Whole;
    let wanted = if method == Method::HEAD {
        whole
    } else {
        requested(headers, &tag, size)
    };
    let (status, range, content_range) = match wanted {
        Requested::Whole => (StatusCode::OK, 0..size, None),
        Requested::Part(part) => {
            let content_range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            (StatusCode::PARTIAL_CONTENT, part, Some(content_range))
        }
        Requested::Unsatisfiable => {
            let mut response = error(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "the range lies outside the file",
            );
            insert(
                response.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            return response;
        }
    };
    let length = range.end - range.start;
    let body = if method == Method::HEAD || length == 0 {
        Body::empty()
    } else {
        match blob.stream(range).await {
            Ok(stream) => Body::from_stream(stream),
            Err(problem) => return failed(&problem),
        }
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    insert(headers, header::CONTENT_TYPE, &found.content_type);
    insert(headers, header::CONTENT_LENGTH, &length.to_string());
    insert(headers, header::ACCEPT_RANGES, "bytes");
    // The bytes are a user's, and must not run as a page of this server.
    insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    headers.insert(header::ETAG, tag);
    if let Some(content_range) = content_range {
        insert(headers, header::CONTENT_RANGE, &content_range);
    }
    response
}

/// Sets a header, unless the value cannot be one.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The digest in quotes: it identifies the content exactly.
fn entity_tag(digest: Md5Digest) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{digest}\"")).expect("hexadecimal digits are visible ASCII")
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "error": message }))).into_response()
}

/// 403, as object stores answer to URLs that are expired or not theirs.
pub(crate) fn refuse(problem: TokenError) -> Response {
    error(StatusCode::FORBIDDEN, &problem.to_string())
}

fn failed(problem: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error = problem, "file bytes cannot be served");
    error(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}

/// A full disk is told apart: the sender can do something about it.
fn storage_failed(problem: &std::io::Error) -> Response {
    match problem.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            tracing::error!(error = problem as &dyn std::error::Error, "the disk is full");
            error(StatusCode::INSUFFICIENT_STORAGE, "no space left on the server")
        }
        _ => failed(problem),
    }
}
