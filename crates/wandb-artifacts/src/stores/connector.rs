//! Our transport in the place of the stores' own HTTP client.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use wandb_transport::{Body, Transport, TransportError, TransportErrorKind};

/// Connects to nothing: the transport knows where everything is.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Arc<dyn Transport>);

#[derive(Debug)]
struct Service(Arc<dyn Transport>);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(Arc::clone(&self.0))))
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.0.send(request.map(body_of)).await.map_err(http_error)?;
        Ok(answer.map(|body| HttpResponseBody::new(http_body_util::BodyExt::map_err(body, http_error))))
    }
}

fn body_of(body: HttpRequestBody) -> Body {
    match body.as_bytes() {
        Some(bytes) => Body::from(bytes.clone()),
        None => Body::wrap(body),
    }
}

fn http_error(error: TransportError) -> HttpError {
    let kind = match error.kind() {
        TransportErrorKind::Connect | TransportErrorKind::Tls => HttpErrorKind::Connect,
        TransportErrorKind::Timeout => HttpErrorKind::Timeout,
        TransportErrorKind::Interrupted => HttpErrorKind::Interrupted,
        TransportErrorKind::Decode => HttpErrorKind::Decode,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
