//! Starting, addressing and stopping the embedded server.
//!
//! | module | what it holds |
//! |---|---|
//! | `builder` | the options, and opening everything |
//! | `directory` | the data directory: lock and key |
//! | `thread` | listening, on a thread of its own, until told to stop |

mod builder;
mod directory;
mod thread;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

pub(crate) use builder::is_key;
pub use builder::{LocalServerBuilder, StartError};
pub(crate) use directory::{DATABASE, lock};

use self::thread::{Running, Started, Stop};
use crate::people::People;
use crate::sample::{SampleError, SampleSummary};
use crate::transport::LocalTransport;

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
    fn new(running: Running, started: Started) -> Self {
        Self {
            running: Some(running),
            started,
        }
    }

    /// A server with everything at its default.
    pub fn builder() -> LocalServerBuilder {
        LocalServerBuilder::default()
    }

    /// Whether a directory is the data directory of such a server.
    pub fn is_data_dir(dir: impl AsRef<Path>) -> bool {
        dir.as_ref().join(directory::DATABASE).is_file()
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

    /// Users, teams and API keys. The server's own user, whose key is [`api_key`](Self::api_key), is an admin: the others
    /// see their own projects, those of their teams, and what is open to all.
    pub fn people(&self) -> People {
        People::of(self.started.app.store.path())
    }

    /// What the tests of other modules look into.
    #[cfg(test)]
    pub(crate) fn app(&self) -> &crate::app::App {
        &self.started.app
    }

    /// The same server without the socket. It goes on working after the server has stopped to listen.
    pub fn transport(&self) -> LocalTransport {
        LocalTransport::new(Arc::clone(&self.started.app), self.started.api_key.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_entity_user_and_key() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(!LocalServer::is_data_dir(dir.path()));
        let open = || LocalServer::builder().dir(dir.path());
        let first = open().entity("team").username("ada").open().expect("opens");
        let key = first.api_key().to_owned();
        assert!(!format!("{first:?}").contains(&key));
        drop(first);
        assert!(LocalServer::is_data_dir(dir.path()));
        let again = open().open().expect("opens");
        assert_eq!((again.entity(), again.api_key()), ("team", key.as_str()));
        drop(again);
        let other = open().entity("other").open().expect("opens");
        assert_eq!(other.entity(), "other");
        drop(other);
        assert_eq!(open().open().expect("opens").entity(), "other");
    }
}
