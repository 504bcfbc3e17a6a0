//! Reading request bodies whole, within limits.

use std::io::Read as _;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::auth::error;
use crate::store::{Store, StoreError};

/// Most bytes of a body, as sent and unpacked. The official client keeps `file_stream` bodies near 10 MiB
/// (protocol §4.2); a config may be large, too.
const MAX_BODY: usize = 128 << 20;

/// The body of a request, unpacked when it came gzipped.
///
/// # Errors
/// 413 when it is too long, 415 for an encoding other than gzip, 400 when it cannot be unpacked or was cut off.
#[allow(clippy::result_large_err)] // the error is the answer, and is sent as it is
pub(crate) async fn read(store: &Store, headers: &HeaderMap, body: Body) -> Result<Bytes, Response> {
    let bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(|failure| {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&failure);
        while let Some(cause) = source {
            if cause.is::<http_body_util::LengthLimitError>() {
                return error(StatusCode::PAYLOAD_TOO_LARGE, "the request body is too long");
            }
            source = cause.source();
        }
        error(StatusCode::BAD_REQUEST, "the request body ended early")
    })?;
    match headers
        .get(header::CONTENT_ENCODING)
        .map(|value| value.as_bytes())
    {
        None | Some(b"identity" | b"") => Ok(bytes),
        Some(encoding) if encoding.eq_ignore_ascii_case(b"gzip") => {
            let unpacked = store.read(move |_| unpack(&bytes)).await;
            unpacked.map_err(|failure| error(StatusCode::BAD_REQUEST, &failure.to_string()))
        }
        Some(_) => Err(error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "only gzip is understood as content encoding",
        )),
    }
}

fn unpack(bytes: &[u8]) -> Result<Bytes, StoreError> {
    let mut unpacked = Vec::with_capacity(bytes.len().saturating_mul(4).min(MAX_BODY));
    // One byte more than is taken tells a bomb from a body that just fits.
    let mut limited = flate2::read::MultiGzDecoder::new(bytes).take(MAX_BODY as u64 + 1);
    limited
        .read_to_end(&mut unpacked)
        .map_err(|_| StoreError::Refused("the request body is not sound gzip".to_owned()))?;
    if unpacked.len() > MAX_BODY {
        return Err(StoreError::Refused("the request body is too long".to_owned()));
    }
    Ok(Bytes::from(unpacked))
}
