//! Artifact bytes by their digest (protocol §5.6), for clients whose signed URL does not work: with the API key.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, Method, StatusCode};

use super::{Found, failed, serve};
use crate::app::App;
use crate::blobs::Md5Digest;
use crate::http::auth::{error, require_key};

/// The routes of both storage layouts.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/artifacts/{entity}/{digest}", get(first))
        .route(
            "/artifactsV2/{region}/{entity}/{project}/{collection}/{*rest}",
            get(second),
        )
        .with_state(app)
}

async fn first(
    State(app): State<Arc<App>>,
    Path((entity, digest)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    answer(&app, entity, Some(digest), &method, &headers).await
}

/// Behind the collection stand the id of the version (newer clients), that of the version in which the bytes first
/// appeared, the digest, and a base name that may be cut off or missing: clients do not encode `#`. Bytes are found by
/// their digest alone, since versions may be deleted before others that share their bytes.
async fn second(
    State(app): State<Arc<App>>,
    Path((_region, entity, _project, _collection, rest)): Path<(String, String, String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    // An id comes first; a base name may look like a digest, and comes last.
    let digest = rest
        .split('/')
        .skip(1)
        .find(|part| Md5Digest::from_hex(part).is_some());
    answer(&app, entity, digest.map(str::to_owned), &method, &headers).await
}

async fn answer(
    app: &App,
    entity: String,
    digest: Option<String>,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    let caller = match require_key(app, headers).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    let missing = || error(StatusCode::NOT_FOUND, "no such file");
    let Some(digest) = digest else {
        return missing();
    };
    match app.artifact_bytes(caller, entity, digest).await {
        Ok(Some(digest)) => {
            let found = Found {
                digest,
                content_type: "application/octet-stream".to_owned(),
            };
            serve(&app.blobs, &found, method, headers).await
        }
        Ok(None) => missing(),
        Err(problem) => failed(&problem),
    }
}
