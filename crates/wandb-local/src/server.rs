//! Starting, addressing and stopping the embedded server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::app::{App, key_digest};
use crate::blobs::BlobStore;
use crate::faults::FaultPlan;
use crate::rate::RateLimit;
use crate::sample::{SampleError, SampleSummary};
use crate::signing::{DEFAULT_VALIDITY, UrlSigner};
use crate::store::{Store, StoreError, identity, names};
use crate::transport::LocalTransport;

/// Name of the database in the data directory.
const DATABASE: &str = "wandb.sqlite3";
/// Name of the folder of file bytes.
const FILES: &str = "files";
/// Name of the file that a process locks while it has the data directory open.
const LOCK_FILE: &str = "lock";
/// Name of the secret that signs URLs.
const URL_SECRET: &str = "url-secret";
/// Name of the file that keeps the generated API key. Only its owner may read it.
const KEY_FILE: &str = "api-key";
/// Silence after which a running run counts as crashed (protocol §2.7: about five minutes).
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(300);
/// Time that requests under way get to end when the server is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("cannot use data directory {}", path.display())]
    Directory {
        /// The directory, or the file in it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has the data directory open.
    #[error("data directory {} is in use by another server", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Host and port that were asked for.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// An option has a value that cannot work.
    #[error("{0}")]
    Option(String),
    /// The system could not give a thread or random bytes.
    #[error("cannot start the server")]
    System(#[source] std::io::Error),
}

/// How a server is to be set up. Get one from [`LocalServer::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct LocalServerBuilder {
    dir: Option<PathBuf>,
    host: String,
    port: u16,
    api_key: Option<String>,
    entity: String,
    username: Option<String>,
    heartbeat_timeout: Duration,
    rate_limit: (u64, Duration),
    external_url: Option<String>,
    faults: FaultPlan,
    url_validity: Duration,
}

impl Default for LocalServerBuilder {
    fn default() -> Self {
        Self {
            dir: None,
            host: "127.0.0.1".to_owned(),
            port: 0,
            api_key: None,
            entity: "local".to_owned(),
            username: None,
            heartbeat_timeout: HEARTBEAT_TIMEOUT,
            rate_limit: (10_000_000, Duration::from_secs(60)),
            external_url: None,
            faults: FaultPlan::default(),
            url_validity: DEFAULT_VALIDITY,
        }
    }
}

impl LocalServerBuilder {
    /// Where the data lives; created when it is missing. Default: a temporary directory that is deleted with the server.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Name or address to listen on. Default: `127.0.0.1`, so that only this machine can connect.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Port to listen on. Default: 0, any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The API key that callers must send. Default: 40 random hexadecimal digits, kept in the data directory.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Name of the default entity. Default: `local`.
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = entity.into();
        self
    }

    /// Login name of the user. Default: the name of the entity.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// Silence after which a running run counts as crashed. Default: five minutes.
    pub fn heartbeat_timeout(mut self, timeout: Duration) -> Self {
        self.heartbeat_timeout = timeout;
        self
    }

    /// Requests that are taken in a window of time; the rest get 429 with `Retry-After`. Default: so many that nobody
    /// meets the limit. Every answer tells how many are left.
    pub fn rate_limit(mut self, requests: u64, window: Duration) -> Self {
        self.rate_limit = (requests, window);
        self
    }

    /// Faults that the server is to show. The plan can be changed, and its counts be read, while the server runs.
    /// Default: none.
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.faults = plan;
        self
    }

    /// Base of the URLs that the server gives out, for example behind a proxy. Default: whatever host the request named.
    pub fn external_url(mut self, url: impl Into<String>) -> Self {
        self.external_url = Some(url.into().trim_end_matches('/').to_owned());
        self
    }

    /// How long the URLs of file bytes work. Default: a day.
    pub fn url_validity(mut self, validity: Duration) -> Self {
        self.url_validity = validity;
        self
    }

    /// Opens the data directory, starts to listen, and returns once requests are taken.
    ///
    /// The server runs on threads of its own and needs nothing from the caller's runtime.
    ///
    /// # Errors
    /// When the directory, the address or an option cannot be used.
    pub async fn start(self) -> Result<LocalServer, StartError> {
        let (running, ready) = spawn(self)?;
        let started = ready.await.map_err(|_| died())??;
        Ok(LocalServer {
            running: Some(running),
            started,
        })
    }

    /// Like [`start`](Self::start), for callers without a runtime.
    ///
    /// # Errors
    /// When the directory, the address or an option cannot be used.
    ///
    /// # Panics
    /// When called from asynchronous code.
    pub fn start_blocking(self) -> Result<LocalServer, StartError> {
        let (running, ready) = spawn(self)?;
        let started = ready.blocking_recv().map_err(|_| died())??;
        Ok(LocalServer {
            running: Some(running),
            started,
        })
    }

    /// Opens the data directory without listening anywhere: the server exists only as a transport in this process.
    ///
    /// # Errors
    /// When the directory or an option cannot be used.
    pub fn open(self) -> Result<LocalTransport, StartError> {
        Ok(LocalTransport::new(self.prepare()?.app))
    }

    fn prepare(&self) -> Result<Prepared, StartError> {
        let username = self.username.clone().unwrap_or_else(|| self.entity.clone());
        for (what, name) in [("entity", &self.entity), ("username", &username)] {
            if name.is_empty() || name.contains('/') || name.contains(char::is_control) {
                return Err(StartError::Option(format!(
                    "{what} {name:?} cannot be used as a name"
                )));
            }
        }
        if self.heartbeat_timeout.is_zero() {
            return Err(StartError::Option(
                "the heartbeat timeout must not be zero".to_owned(),
            ));
        }
        let (dir, temporary) = match &self.dir {
            Some(dir) => (dir.clone(), None),
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("wandb-local-")
                    .tempdir()
                    .map_err(|source| StartError::Directory {
                        path: std::env::temp_dir(),
                        source: Box::new(source),
                    })?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source: std::io::Error| StartError::Directory {
                path,
                source: Box::new(source),
            }
        };
        std::fs::create_dir_all(&dir).map_err(unusable(&dir))?;
        let lock = lock(&dir)?;
        let api_key = match &self.api_key {
            Some(key) if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return Err(StartError::Option(
                    "an API key is one or more visible ASCII characters".to_owned(),
                ));
            }
            Some(key) => key.clone(),
            None => stored_key(&dir.join(KEY_FILE))?,
        };
        let path = dir.join(DATABASE);
        let broken = |source: StoreError| StartError::Directory {
            path: path.clone(),
            source: Box::new(source),
        };
        let store = Store::open(&path).map_err(&broken)?;
        let key_sha256 = key_digest(&api_key);
        let identity = store
            .write_blocking(|db| identity::prepare(db, &self.entity, &username, &key_sha256))
            .map_err(&broken)?;
        let mut fresh = [0_u8; 32];
        names::random(&mut fresh).map_err(StartError::System)?;
        let secret = store
            .write_blocking(|db| identity::secret(db, URL_SECRET, &fresh))
            .map_err(&broken)?;
        let secret = <[u8; 32]>::try_from(secret).map_err(|_| {
            broken(StoreError::Refused(
                "the stored secret has a wrong length".to_owned(),
            ))
        })?;
        let files = dir.join(FILES);
        let blobs = BlobStore::open(&files).map_err(unusable(&files))?;
        let schema = crate::graphql::schema();
        let app = App {
            store,
            types: crate::graphql::TypeNames::of(&schema),
            schema,
            identity: Arc::new(identity),
            key_sha256,
            heartbeat_timeout: self.heartbeat_timeout,
            rate: RateLimit::new(self.rate_limit.0, self.rate_limit.1),
            faults: self.faults.clone(),
            external_url: self.external_url.clone(),
            blobs,
            signer: UrlSigner::new(&secret).with_validity(self.url_validity),
            lock,
            temporary,
        };
        Ok(Prepared {
            app: Arc::new(app),
            api_key,
        })
    }
}

/// Takes the data directory for this process. The system gives it back when the process ends, however it ends.
fn lock(dir: &Path) -> Result<std::fs::File, StartError> {
    let path = dir.join(LOCK_FILE);
    let unusable = |source: std::io::Error| StartError::Directory {
        path: path.clone(),
        source: Box::new(source),
    };
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse { path: dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// The key in a file; a new one when there is no file. Two servers that start at once agree on one key, because only
/// one of them can create the file.
fn stored_key(path: &Path) -> Result<String, StartError> {
    use std::io::Write as _;
    let unusable = |source: std::io::Error| StartError::Directory {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let mut bytes = [0_u8; 20];
    names::random(&mut bytes).map_err(StartError::System)?;
    let fresh = names::hex(&bytes);
    let dir = path.parent().unwrap_or(Path::new("."));
    // Whole or not at all: written aside (by `tempfile`, readable by the owner only), then linked under its name.
    let mut aside = tempfile::NamedTempFile::new_in(dir).map_err(unusable)?;
    aside
        .write_all(fresh.as_bytes())
        .and_then(|()| aside.as_file().sync_all())
        .map_err(unusable)?;
    match aside.persist_noclobber(path) {
        Ok(_) => Ok(fresh),
        Err(failure) if failure.error.kind() == std::io::ErrorKind::AlreadyExists => {
            let key = std::fs::read_to_string(path).map_err(unusable)?.trim().to_owned();
            if key.is_empty() {
                return Err(unusable(std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    "the file is empty",
                )));
            }
            Ok(key)
        }
        Err(failure) => Err(unusable(failure.error)),
    }
}

struct Prepared {
    app: Arc<App>,
    api_key: String,
}

/// What is known once the server runs.
struct Started {
    app: Arc<App>,
    api_key: String,
    address: SocketAddr,
    host: String,
}

/// The thread of a server, and how to end it.
struct Running {
    stop: watch::Sender<Stop>,
    thread: std::thread::JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

/// How far the server has been asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    No,
    Gracefully,
    AtOnce,
}

type Ready = oneshot::Receiver<Result<Started, StartError>>;

fn died() -> StartError {
    StartError::System(std::io::Error::other("the server thread ended"))
}

fn spawn(builder: LocalServerBuilder) -> Result<(Running, Ready), StartError> {
    let (stop, stopped) = watch::channel(Stop::No);
    let (report, ready) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("wandb-local".to_owned())
        .spawn(move || {
            run(builder, stopped, report);
            let _ = end.send(());
        })
        .map_err(StartError::System)?;
    Ok((Running { stop, thread, ended }, ready))
}

/// The life of the server's thread.
fn run(
    builder: LocalServerBuilder,
    stopped: watch::Receiver<Stop>,
    report: oneshot::Sender<Result<Started, StartError>>,
) {
    let prepared = builder.prepare().and_then(|prepared| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("wandb-local-http")
            .enable_all()
            .build()
            .map_err(StartError::System)?;
        let address = format!("{}:{}", builder.host, builder.port);
        let listener = runtime
            .block_on(TcpListener::bind((builder.host.as_str(), builder.port)))
            .and_then(|listener| Ok((listener.local_addr()?, listener)))
            .map_err(|source| StartError::Listen { address, source })?;
        Ok((prepared, runtime, listener))
    });
    let (prepared, runtime, (address, listener)) = match prepared {
        Ok(parts) => parts,
        Err(failure) => {
            let _ = report.send(Err(failure));
            return;
        }
    };
    let app = Arc::clone(&prepared.app);
    let started = Started {
        app: Arc::clone(&app),
        api_key: prepared.api_key,
        address,
        host: builder.host,
    };
    if report.send(Ok(started)).is_ok() {
        runtime.block_on(serve(app, listener, stopped));
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn serve(app: Arc<App>, listener: TcpListener, stopped: watch::Receiver<Stop>) {
    let router = crate::http::router(Arc::clone(&app));
    let keeper = tokio::spawn(keep_house(app));
    // Small answers must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        if let Err(failure) = stream.set_nodelay(true) {
            tracing::debug!(%failure, "cannot set TCP_NODELAY");
        }
    });
    let asked = |least: Stop| {
        let mut stopped = stopped.clone();
        async move {
            // A dropped sender is a dropped server.
            let _ = stopped.wait_for(|stop| *stop >= least).await;
        }
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(asked(Stop::Gracefully));
    let patience = async {
        asked(Stop::Gracefully).await;
        tokio::select! {
            () = tokio::time::sleep(GRACE) => {}
            () = asked(Stop::AtOnce) => {}
        }
    };
    tokio::select! {
        result = serving => {
            if let Err(failure) = result {
                tracing::error!(%failure, "the server ended");
            }
        }
        () = patience => tracing::debug!("stopped with requests under way"),
    }
    keeper.abort();
}

/// Cleans up after a process that was killed, then marks silent runs as crashed from time to time, so that their state
/// is right on disk, too.
async fn keep_house(app: Arc<App>) {
    if let Err(failure) = app.sweep_bytes().await {
        tracing::warn!(%failure, "cannot look for bytes without a file");
    }
    let period = (app.heartbeat_timeout / 4).clamp(Duration::from_millis(50), Duration::from_secs(30));
    loop {
        tokio::time::sleep(period).await;
        if let Err(failure) = app.settle().await {
            tracing::warn!(%failure, "cannot look for silent runs");
        }
    }
}

/// An embedded W&B server that listens on a socket.
///
/// It stops when it is dropped; [`stop`](Self::stop) lets requests under way end first.
///
/// # Examples
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = wandb_local::LocalServer::builder().start().await?;
/// println!("WANDB_BASE_URL={} WANDB_API_KEY={}", server.url(), server.api_key());
/// server.stop().await;
/// # Ok::<_, wandb_local::StartError>(()) }).unwrap();
/// ```
pub struct LocalServer {
    running: Option<Running>,
    started: Started,
}

impl std::fmt::Debug for LocalServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalServer")
            .field("url", &self.url())
            .field("app", &self.started.app)
            .finish_non_exhaustive()
    }
}

impl LocalServer {
    /// A server with everything at its default.
    pub fn builder() -> LocalServerBuilder {
        LocalServerBuilder::default()
    }

    /// Base URL: what `WANDB_BASE_URL` is to be set to.
    pub fn url(&self) -> String {
        let Started { address, host, .. } = &self.started;
        match address.ip() {
            // "Every address" is none that can be connected to; the loopback address always is one of them.
            ip if ip.is_unspecified() && ip.is_ipv6() => format!("http://[::1]:{}", address.port()),
            ip if ip.is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
            ip if host.parse::<std::net::IpAddr>().is_ok() && ip.is_ipv6() => format!("http://{address}"),
            _ => format!("http://{host}:{}", address.port()),
        }
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.started.address
    }

    /// The API key: what `WANDB_API_KEY` is to be set to. A secret.
    pub fn api_key(&self) -> &str {
        &self.started.api_key
    }

    /// The GraphQL schema of this server, as SDL.
    pub fn schema_sdl() -> String {
        crate::graphql::schema().sdl()
    }

    /// Name of the default entity.
    pub fn entity(&self) -> &str {
        &self.started.app.identity.entity_name
    }

    /// Fills a project with sixty sample runs: two kinds of model, curves, files and a few accidents, made by formulas
    /// and marked as sample data. Sample runs that are there already are replaced.
    ///
    /// # Errors
    /// The name is none for a project, a run of the user has the name of a sample run, or the data directory cannot be
    /// written.
    pub async fn fill_sample(&self, project: &str) -> Result<SampleSummary, SampleError> {
        crate::sample::fill(&self.started.app, project).await
    }

    /// What the tests of other modules look into.
    #[cfg(test)]
    pub(crate) fn app(&self) -> &App {
        &self.started.app
    }

    /// The same server without the socket. It goes on working after the server has stopped to listen.
    pub fn transport(&self) -> LocalTransport {
        LocalTransport::new(Arc::clone(&self.started.app))
    }

    /// Stops to listen, lets requests under way end (for at most five seconds), and returns when all is closed.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop.send_replace(Stop::Gracefully);
            let _ = running.ended.await;
            let _ = running.thread.join();
        }
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop.send_replace(Stop::AtOnce);
            let _ = running.thread.join();
        }
    }
}
