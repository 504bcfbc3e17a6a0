//! The network, the server's addresses, the clock.

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, Response, StatusCode};
use tempfile::TempDir;
use wandb_core::{
    Result,
    base_url::BaseUrl,
    client::Client,
    redact::SafeUrl,
    retry::{RetryPolicy, Runtime},
};
use wandb_storage::{Algorithm, Directory};
use wandb_transport::{Body, Transport, TransportError, TransportErrorKind};

use crate::{
    manifest::{Manifest, ManifestEntry},
    transfer::{Download, DownloadOptions, UrlSource},
};

pub(super) const BASE: &str = "https://api.example.test";

/// What a server does wrong, once.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Other bytes of the same size.
    Corrupt,
    /// Half of the bytes, announced as all.
    Truncate,
    /// More bytes than there are.
    Grow,
    /// A page that says that something is wrong, with status 200.
    ErrorPage,
    /// This status.
    Status(u16),
    /// The connection breaks after so many bytes.
    BreakAfter(usize),
    /// Nothing comes any more after so many bytes.
    HangAfter(usize),
    /// The whole object although a range was asked for.
    NoRange,
    /// Another object, of the same size, with another tag, from now on.
    Change,
    /// To another address.
    Redirect(String),
}

#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) url: String,
    pub(super) has_key: bool,
    pub(super) range: Option<String>,
    pub(super) if_range: bool,
}

#[derive(Debug, Clone)]
struct Object {
    bytes: Bytes,
    tag: Option<String>,
}

/// A server of objects by URL (without the query, which stands for the signature).
#[derive(Debug, Default)]
pub(super) struct Network {
    objects: Mutex<HashMap<String, Object>>,
    faults: Mutex<HashMap<String, VecDeque<Fault>>>,
    always: Mutex<HashMap<String, Fault>>,
    /// Signatures that expired.
    pub(super) expired: Mutex<Vec<String>>,
    pub(super) sent: Mutex<Vec<Sent>>,
}

impl Network {
    pub(super) fn put(&self, url: &str, bytes: impl Into<Bytes>, tag: Option<&str>) {
        let object = Object {
            bytes: bytes.into(),
            tag: tag.map(str::to_owned),
        };
        self.objects.lock().unwrap().insert(url.to_owned(), object);
    }

    pub(super) fn fault(&self, url: &str, fault: Fault) {
        let mut faults = self.faults.lock().unwrap();
        faults.entry(url.to_owned()).or_default().push_back(fault);
    }

    pub(super) fn always(&self, url: &str, fault: Fault) {
        self.always.lock().unwrap().insert(url.to_owned(), fault);
    }

    pub(super) fn heal(&self) {
        self.faults.lock().unwrap().clear();
        self.always.lock().unwrap().clear();
    }

    pub(super) fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let url = request.uri().to_string();
        let (plain, signature) = url.split_once('?').unwrap_or((&url, ""));
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        self.sent.lock().unwrap().push(Sent {
            url: url.clone(),
            has_key: request.headers().contains_key("authorization"),
            range: header("range"),
            if_range: request.headers().contains_key("if-range"),
        });
        if self.expired.lock().unwrap().iter().any(|old| old == signature) {
            return status(403);
        }
        let fault = self
            .faults
            .lock()
            .unwrap()
            .get_mut(plain)
            .and_then(VecDeque::pop_front)
            .or_else(|| self.always.lock().unwrap().get(plain).cloned());
        if let Some(Fault::Change) = fault {
            let mut objects = self.objects.lock().unwrap();
            let object = objects.get_mut(plain).unwrap();
            object.bytes = object
                .bytes
                .iter()
                .map(|byte| byte ^ 0xff)
                .collect::<Vec<_>>()
                .into();
            object.tag = Some("\"another\"".to_owned());
        }
        let Some(object) = self.objects.lock().unwrap().get(plain).cloned() else {
            return status(404);
        };
        let mut bytes = object.bytes.clone();
        let mut answer = Response::builder().status(200);
        if let Some(tag) = &object.tag {
            answer = answer.header("etag", tag);
        }
        let is_same = header("if-range").is_none_or(|tag| Some(tag) == object.tag);
        if let Some(range) = header("range").filter(|_| is_same && !matches!(fault, Some(Fault::NoRange))) {
            let (start, end) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            let start: usize = start.parse().unwrap();
            let end: usize = end.parse().unwrap_or(bytes.len() - 1).min(bytes.len() - 1);
            answer = answer
                .status(206)
                .header("content-range", format!("bytes {start}-{end}/{}", bytes.len()));
            bytes = bytes.slice(start..=end);
        }
        let mut end = None;
        match fault {
            None | Some(Fault::NoRange | Fault::Change) => {}
            Some(Fault::Corrupt) => {
                let mut wrong = bytes.to_vec();
                let middle = wrong.len() / 2;
                wrong[middle] ^= 1;
                bytes = wrong.into();
            }
            Some(Fault::Truncate) => bytes = bytes.slice(..bytes.len() / 2),
            Some(Fault::Grow) => bytes = [&bytes[..], b"more"].concat().into(),
            Some(Fault::ErrorPage) => bytes = Bytes::from_static(b"<html>sorry</html>"),
            Some(Fault::Status(code)) => return status(code),
            Some(Fault::Redirect(to)) => {
                let mut answer = status(307);
                answer
                    .headers_mut()
                    .insert("location", HeaderValue::try_from(to).unwrap());
                return answer;
            }
            Some(Fault::BreakAfter(count)) => {
                bytes.truncate(count);
                end = Some(true);
            }
            Some(Fault::HangAfter(count)) => {
                bytes.truncate(count);
                end = Some(false);
            }
        }
        // In pieces, as a network gives them.
        let chunks: Vec<_> = bytes
            .chunks(64 * 1024)
            .map(Bytes::copy_from_slice)
            .map(Ok)
            .collect();
        let chunks = stream::iter(chunks);
        let body = match end {
            None => Body::from_stream(chunks, None),
            Some(true) => {
                let broken = TransportError::new(TransportErrorKind::Interrupted, "cut");
                Body::from_stream(chunks.chain(stream::iter([Err(broken)])), None)
            }
            Some(false) => Body::from_stream(chunks.chain(stream::pending()), None),
        };
        answer.body(body).unwrap()
    }
}

fn status(code: u16) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        // As on a network, others get their turn meanwhile.
        tokio::task::yield_now().await;
        Ok(self.answer(&request))
    }
}

/// A clock that jumps when someone sleeps.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

pub(crate) fn clock() -> Arc<dyn Runtime> {
    Arc::new(Clock::default())
}

#[async_trait]
impl Runtime for Clock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn unix_seconds(&self) -> i64 {
        0
    }
}

/// Signed addresses under the base URL, so that only the rule keeps the key away.
#[derive(Debug, Default)]
pub(super) struct Urls {
    pub(super) asked: Mutex<Vec<Vec<String>>>,
    pub(super) generation: AtomicU64,
    /// Whether each answer has new signatures.
    pub(super) renews: bool,
    pub(super) nowhere: Mutex<Vec<String>>,
    pub(super) has_fallback: bool,
    pub(super) batch: Option<usize>,
}

#[async_trait]
impl UrlSource for Urls {
    async fn urls(&self, paths: &[&str]) -> Result<Vec<(String, SafeUrl)>> {
        let generation = self
            .generation
            .fetch_add(u64::from(self.renews), Ordering::Relaxed);
        self.asked
            .lock()
            .unwrap()
            .push(paths.iter().map(|path| (*path).to_owned()).collect());
        let nowhere = self.nowhere.lock().unwrap().clone();
        // The last first: order is the server's business.
        Ok(paths
            .iter()
            .rev()
            .filter(|path| !nowhere.iter().any(|gone| gone == *path))
            .map(|path| {
                let url = format!("{}?sig{generation}", url_of(path));
                ((*path).to_owned(), SafeUrl::new(url))
            })
            .collect())
    }

    fn batch_size(&self) -> usize {
        self.batch.unwrap_or(5_000)
    }

    fn fallback(&self, entry: &ManifestEntry) -> Option<SafeUrl> {
        self.has_fallback
            .then(|| SafeUrl::new(format!("{BASE}/artifactsV2/{}", entry.path())))
    }
}

pub(super) fn url_of(path: &str) -> String {
    format!("{BASE}/signed/{}", path.replace(' ', "%20").replace('#', "%23"))
}

/// One of everything.
pub(super) struct World {
    pub(super) network: Arc<Network>,
    pub(super) urls: Arc<Urls>,
    pub(super) client: Client,
    pub(super) target: TempDir,
    pub(super) records: TempDir,
    pub(super) manifest: Arc<Manifest>,
}

impl World {
    /// A version with these files, all of them on the server.
    pub(super) fn new(files: &[(&str, &[u8])]) -> Self {
        Self::with_urls(files, Urls::default())
    }

    pub(super) fn with_urls(files: &[(&str, &[u8])], urls: Urls) -> Self {
        let network = Arc::new(Network::default());
        let entries = files
            .iter()
            .enumerate()
            .map(|(index, (path, bytes))| {
                network.put(&url_of(path), bytes.to_vec(), Some(&format!("\"tag{index}\"")));
                ManifestEntry::file(*path, Algorithm::Md5.hash(bytes), bytes.len() as u64)
            })
            .collect();
        let transport: Arc<dyn Transport> = Arc::clone(&network) as _;
        let client = Client::builder(
            BaseUrl::parse(BASE).unwrap(),
            transport,
            Arc::new(Clock::default()),
        )
        .authorization(HeaderValue::from_static("Basic c2VjcmV0"))
        .retry(RetryPolicy::default().with_max_attempts(3))
        .build();
        Self {
            network,
            urls: Arc::new(urls),
            client,
            target: tempfile::tempdir().unwrap(),
            records: tempfile::tempdir().unwrap(),
            manifest: Arc::new(Manifest::new().with_entries(entries).unwrap()),
        }
    }

    pub(super) fn options(&self) -> DownloadOptions {
        DownloadOptions::below(self.target.path()).records(Directory::create(self.records.path()).unwrap())
    }

    pub(super) fn download(&self) -> Download {
        self.download_with(self.options())
    }

    pub(super) fn download_with(&self, options: DownloadOptions) -> Download {
        let urls: Arc<dyn UrlSource> = Arc::clone(&self.urls) as _;
        Download::new(self.client.clone(), Arc::clone(&self.manifest), urls, options)
    }

    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.target.path().join(path)).unwrap()
    }

    /// Every file below the target, parts included.
    pub(super) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.target.path(), self.target.path(), &mut found);
        found.sort();
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap();
            found.push(name.to_str().unwrap().to_owned());
        }
    }
}

/// Bytes that are nowhere alike.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = length as u64 | 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}
