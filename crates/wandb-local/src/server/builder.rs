//! How a server is set up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::LocalServer;
use super::directory::{DATABASE, FILES, KEY_FILE, lock, stored_key};
use super::thread::{died, spawn};
use crate::app::{App, key_digest};
use crate::blobs::BlobStore;
use crate::faults::FaultPlan;
use crate::rate::RateLimit;
use crate::signing::{DEFAULT_VALIDITY, UrlSigner};
use crate::store::{Store, StoreError, identity, names};
use crate::transport::LocalTransport;

/// Name of the secret that signs URLs.
const URL_SECRET: &str = "url-secret";
/// Silence after which a running run counts as crashed (protocol §2.7: about five minutes).
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(300);

/// Fewest characters of a key after its prefix.
const KEY_LENGTH: usize = 40;

/// Whether the clients would send this key. They check it before any request, so that a server with another key could
/// be reached by nobody.
pub(crate) fn is_key(key: &str) -> bool {
    let secret = key.split_once('-').map_or(key, |(_, secret)| secret);
    secret.len() >= KEY_LENGTH
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

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
#[derive(Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct LocalServerBuilder {
    dir: Option<PathBuf>,
    pub(super) host: String,
    pub(super) port: u16,
    api_key: Option<String>,
    entity: Option<String>,
    username: Option<String>,
    heartbeat_timeout: Duration,
    rate_limit: (u64, Duration),
    external_url: Option<String>,
    faults: FaultPlan,
    url_validity: Duration,
}

impl std::fmt::Debug for LocalServerBuilder {
    /// Everything but the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalServerBuilder")
            .field("dir", &self.dir)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("entity", &self.entity)
            .field("username", &self.username)
            .field("heartbeat_timeout", &self.heartbeat_timeout)
            .field("rate_limit", &self.rate_limit)
            .field("external_url", &self.external_url)
            .field("url_validity", &self.url_validity)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Default for LocalServerBuilder {
    fn default() -> Self {
        Self {
            dir: None,
            host: "127.0.0.1".to_owned(),
            port: 0,
            api_key: None,
            entity: None,
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

    /// The API key that callers must send: after an optional prefix up to the first dash, at least 40 ASCII letters,
    /// digits, `_` or `-`, which is what the clients take. Default: 40 random hexadecimal digits, kept in the data
    /// directory.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Name of the default entity. Default: the one with which the data directory was last opened, in a new one `local`.
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Login name of the user. Default: the one with which the data directory was last opened, or the entity's name when
    /// an entity is given.
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
        Ok(LocalServer::new(running, started))
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
        Ok(LocalServer::new(running, started))
    }

    /// Opens the data directory without listening anywhere: the server exists only as a transport in this process.
    ///
    /// # Errors
    /// When the directory or an option cannot be used.
    pub fn open(self) -> Result<LocalTransport, StartError> {
        let Prepared { app, api_key } = self.prepare()?;
        Ok(LocalTransport::new(app, api_key))
    }

    pub(super) fn prepare(&self) -> Result<Prepared, StartError> {
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
            Some(key) if !is_key(key) => {
                return Err(StartError::Option(format!(
                    "the API key must be {KEY_LENGTH} or more characters, after a prefix that may end at the first dash, \
                     out of letters, digits, \"_\" and \"-\": clients refuse any other"
                )));
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
        let (entity, username) = self.names(&store).map_err(&broken)?;
        for (what, name) in [("entity", &entity), ("username", &username)] {
            if name.is_empty() || name.contains('/') || name.contains(char::is_control) {
                return Err(StartError::Option(format!(
                    "{what} {name:?} cannot be used as a name"
                )));
            }
        }
        let identity = store
            .write_blocking(|db| identity::prepare(db, &entity, &username, &key_sha256))
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

    /// The names of entity and user: what was asked for, else what the data directory has, else `local`.
    fn names(&self, store: &Store) -> Result<(String, String), StoreError> {
        let stored = store.write_blocking(identity::last_used)?;
        let (entity, username) = match (&self.entity, stored) {
            (Some(entity), _) => (entity.clone(), entity.clone()),
            (None, Some((entity, username))) => (entity, username),
            (None, None) => ("local".to_owned(), "local".to_owned()),
        };
        Ok((entity, self.username.clone().unwrap_or(username)))
    }
}

/// A server that is ready to take requests.
pub(super) struct Prepared {
    pub(super) app: Arc<App>,
    pub(super) api_key: String,
}
