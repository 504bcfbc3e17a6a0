//! What every request needs: the store, the bytes, the schema, the caller's key, the limits.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST};
use sha2::{Digest as _, Sha256};

use crate::blobs::BlobStore;
use crate::faults::FaultPlan;
use crate::graphql::{LocalSchema, TypeNames};
use crate::rate::RateLimit;
use crate::signing::UrlSigner;
use crate::store::identity::Identity;
use crate::store::{Store, StoreResult, people, runs, time};

/// The state that all requests share.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) schema: LocalSchema,
    pub(crate) types: TypeNames,
    /// The server's own user, for whom nobody has to ask: the sample data are theirs.
    pub(crate) identity: Arc<Identity>,
    /// Silence after which a running run counts as crashed.
    pub(crate) heartbeat_timeout: Duration,
    pub(crate) rate: RateLimit,
    pub(crate) faults: FaultPlan,
    pub(crate) blobs: BlobStore,
    pub(crate) signer: UrlSigner,
    /// Base of URLs when the address that callers use is not the one to give out.
    pub(crate) external_url: Option<String>,
    /// Held while the data directory is open; a second process would remove uploads under way.
    pub(crate) lock: std::fs::File,
    /// The data directory when it is to go away with the server. Last, so that it outlives what is open in it.
    pub(crate) temporary: Option<tempfile::TempDir>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("store", &self.store)
            .field("identity", &self.identity)
            .field("heartbeat_timeout", &self.heartbeat_timeout)
            .field("lock", &self.lock)
            .field("temporary", &self.temporary)
            .finish_non_exhaustive()
    }
}

/// SHA-256 of an API key.
pub(crate) fn key_digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The API key in a request's `Authorization` header.
fn key_of(headers: &HeaderMap) -> Option<String> {
    use base64::Engine as _;
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(rest.trim())
            .ok()?;
        let pair = String::from_utf8(bytes).ok()?;
        pair.split_once(':')?.1.to_owned()
    } else {
        return None;
    };
    (!key.is_empty()).then_some(key)
}

impl App {
    /// Marks runs that have been silent for too long as crashed. Called before every read, so that an answer is right
    /// even when the background task has not come by yet, or there is none.
    pub(crate) async fn settle(&self) -> StoreResult<()> {
        let now = time::now();
        let timeout = i64::try_from(self.heartbeat_timeout.as_micros()).unwrap_or(i64::MAX);
        let deadline = now.saturating_sub(timeout);
        if self.store.read(move |db| runs::any_silent(db, deadline)).await? {
            let crashed = self
                .store
                .write(move |db| runs::mark_crashed(db, deadline, now))
                .await?;
            tracing::info!(crashed, "runs without a sign of life were marked as crashed");
        }
        Ok(())
    }

    /// Who a request acts for, by its API key: HTTP Basic with any user name, or Bearer (protocol §1.3). `None` without a
    /// key that somebody has. Asked of the database each time, since keys come and go while the server runs, also from
    /// another process.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> StoreResult<Option<Arc<Identity>>> {
        let Some(key) = key_of(headers) else {
            return Ok(None);
        };
        // Only digests are stored and compared: their timing tells nothing about a key.
        let sha256 = key_digest(&key);
        let found = self.store.read(move |db| people::by_key(db, &sha256)).await?;
        Ok(found.map(Arc::new))
    }

    /// Scheme and host that URLs in an answer begin with: the address under which the caller reached the server, which
    /// is the only one known to work for it (protocol §1.6).
    pub(crate) fn origin(&self, headers: &HeaderMap, uri: &http::Uri) -> String {
        if let Some(external) = &self.external_url {
            return external.clone();
        }
        let host = headers
            .get(HOST)
            .and_then(|value| value.to_str().ok())
            .and_then(|host| host.parse::<http::uri::Authority>().ok())
            .or_else(|| uri.authority().cloned());
        let host = host.as_ref().map_or("127.0.0.1", |host| host.as_str());
        format!("http://{host}")
    }
}
