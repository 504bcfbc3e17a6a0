//! An embedded server for one test.

use std::path::Path;
use std::sync::Arc;

use wandb_api::filter::ServerRules;
use wandb_api::transport::{ScriptedTransport, Transport};
use wandb_api::{Api, ApiBuilder};
use wandb_local::{FaultPlan, LocalServer, LocalServerBuilder, LocalTransport};

use crate::{Counting, FakeRuntime, NewRun, Writer};

/// The API key of every test server.
pub const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// An embedded server in this process, without a socket, on a directory of its own that goes with it.
#[derive(Debug, Clone)]
pub struct TestServer {
    transport: LocalTransport,
    faults: FaultPlan,
}

impl TestServer {
    /// A server on a temporary directory.
    pub fn open() -> Self {
        Self::with(|builder| builder)
    }

    /// A server on a directory that stays.
    pub fn open_in(dir: &Path) -> Self {
        Self::with(|builder| builder.dir(dir))
    }

    /// A server that is set up further.
    pub fn with(set_up: impl FnOnce(LocalServerBuilder) -> LocalServerBuilder) -> Self {
        let faults = FaultPlan::new(7);
        let builder = LocalServer::builder().api_key(KEY).faults(faults.clone());
        let transport = set_up(builder).open().expect("a test server opens");
        Self { transport, faults }
    }

    /// The faults that the server shows; none until a test adds some.
    pub fn faults(&self) -> &FaultPlan {
        &self.faults
    }

    /// The way to it.
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.transport.clone())
    }

    /// A client, whose waits take no time.
    pub fn api(&self) -> Api {
        self.api_over(self.transport())
    }

    /// A client, and the notes of what it sends.
    pub fn counted(&self) -> (Api, Counting) {
        let counting = Counting::new(self.transport());
        (self.api_over(Arc::new(counting.clone())), counting)
    }

    /// A client over a transport that ends at this server.
    pub fn api_over(&self, transport: Arc<dyn Transport>) -> Api {
        self.builder(transport).build()
    }

    /// The builder of such a client. It trusts the server with every filter, as with an embedded server on a socket.
    pub fn builder(&self, transport: Arc<dyn Transport>) -> ApiBuilder {
        Api::builder(transport)
            .base_url(self.transport.url())
            .and_then(|builder| builder.api_key(KEY))
            .and_then(|builder| builder.entity(self.transport.entity()))
            .expect("the settings of a test are sound")
            .server_rules(ServerRules::exact())
            .runtime(Arc::new(FakeRuntime::default()))
    }

    /// Creates a run, running.
    pub async fn log(&self, project: &str, run: NewRun) -> Writer {
        Writer::create(self.transport(), self.transport.url(), project, run).await
    }
}

/// An embedded server with the sample project `sample`, which goes when the handle is dropped, and a client for it: what
/// the programs of the guide begin with.
///
/// # Errors
/// When the server does not start or its directory cannot be written.
pub async fn sample() -> Result<(LocalServer, Api), Box<dyn std::error::Error>> {
    let server = LocalServer::builder().start().await?;
    server.fill_sample("sample").await?;
    let api = Api::builder(Arc::new(server.transport()))
        .base_url(&server.url())?
        .api_key(server.api_key())?
        .entity(server.entity())?
        .build();
    Ok((server, api))
}

/// A client over a script, for `https://api.example` and the entity `e`, and its clock.
pub fn scripted_api(script: &ScriptedTransport) -> (Api, Arc<FakeRuntime>) {
    let runtime = Arc::new(FakeRuntime::default());
    let api = Api::builder(Arc::new(script.clone()))
        .base_url("https://api.example")
        .and_then(|builder| builder.api_key(KEY))
        .and_then(|builder| builder.entity("e"))
        .expect("the settings of a test are sound")
        .runtime(runtime.clone())
        .build();
    (api, runtime)
}
