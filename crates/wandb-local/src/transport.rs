//! The embedded server as a transport with no socket.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use http::{Request, Response};
use tower_service::Service as _;
use wandb_transport::{Body, Transport, TransportError, TransportErrorKind};

use crate::app::App;
use crate::faults::ConnectionLost;
use crate::people::People;

/// Reaches an embedded server inside this process: the same router that serves the network, called directly.
///
/// Requests must be sent from within a Tokio runtime. Any host in a request's URI will do; URLs in answers are built on
/// it. The data directory stays open until the last clone is dropped.
#[derive(Clone)]
pub struct LocalTransport {
    router: Router,
    app: Arc<App>,
    api_key: String,
}

impl std::fmt::Debug for LocalTransport {
    /// Everything but the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalTransport")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

impl LocalTransport {
    pub(crate) fn new(app: Arc<App>, api_key: String) -> Self {
        Self {
            router: crate::http::router(Arc::clone(&app)),
            app,
            api_key,
        }
    }

    /// The API key that requests must carry, here as over the network.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Name of the default entity.
    pub fn entity(&self) -> &str {
        &self.app.identity.entity_name
    }

    /// Users, teams and API keys, as [`LocalServer::people`](crate::LocalServer::people).
    pub fn people(&self) -> People {
        People::of(self.app.store.path())
    }

    /// A base URL under which this transport is reached. Nothing listens there: it is a name, not an address.
    pub fn url(&self) -> &'static str {
        "http://wandb.local"
    }
}

#[async_trait]
impl Transport for LocalTransport {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let mut router = self.router.clone();
        let answer = router.call(request.map(axum::body::Body::new)).await;
        match answer {
            // What ends a connection elsewhere has none to end here.
            Ok(response) if response.extensions().get::<ConnectionLost>().is_some() => Err(
                TransportError::new(TransportErrorKind::Interrupted, "the connection was reset"),
            ),
            Ok(response) => Ok(response.map(Body::wrap)),
            Err(never) => match never {},
        }
    }
}
