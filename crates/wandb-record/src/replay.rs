//! The replaying transport.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{Request, Response};
use sha2::{Digest, Sha256};
use wandb_transport::{Body, Transport, TransportError, TransportErrorKind};

use crate::RecordError;
use crate::clean::Cleaner;
use crate::format::{self, BodyRecord, FileRecord, Outcome};
use crate::read::{check_files, check_numbers, read_exchange, replayed_error, response};
use crate::request::{self, Key, KeyBody};

/// Answers from a recording, and from nothing else.
///
/// A request is the recorded one when method, URL, `Range` and body are the same, secrets apart; GraphQL bodies are
/// compared as JSON, so the order of members does not count. Each recorded answer is given once; where a request was made
/// several times, its answers come in the recorded order. Requests that differ may come in another order than they did: a
/// client that sends several at once does not send them twice in the same order.
///
/// A request that was not recorded gets an error of kind [`InvalidRequest`](TransportErrorKind::InvalidRequest), which no
/// retry policy repeats, and which says what was expected and in what the request differs. Because the code under test may
/// swallow it, it also counts at the end: [`finish`](Self::finish) panics on it, and on recorded requests that were not
/// made, as does dropping the last clone of a replay that was neither finished nor [verified](Self::verify), unless the
/// thread panics already.
///
/// A request on which the recorded session gave up before there was an answer stays without one, and need not be made.
///
/// Clones share the state.
#[derive(Debug, Clone)]
pub struct ReplayTransport {
    replay: Arc<Replay>,
}

struct Replay {
    folder: PathBuf,
    origin: Option<String>,
    finished: bool,
    state: Mutex<State>,
}

struct State {
    cleaner: Cleaner,
    entries: Vec<Entry>,
    /// Which entries a request may have, in order. Entries whose body is not compared are in `loose`.
    by_key: HashMap<Key, VecDeque<usize>>,
    loose: VecDeque<usize>,
    unexpected: Vec<String>,
    checked: bool,
}

struct Entry {
    number: u32,
    key: Key,
    used: bool,
    /// Whether it may be left.
    optional: bool,
}

impl ReplayTransport {
    /// Reads a recording. Every exchange is read and checked; bodies are read again when they are asked for.
    ///
    /// # Errors
    /// [`RecordError`] for a folder that is none, that is of a newer format, or that is damaged.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RecordError> {
        let folder = folder.as_ref();
        let manifest = format::read_manifest(folder)?;
        let numbers = format::numbers(folder)?;
        if manifest.finished {
            check_numbers(folder, &manifest, &numbers)?;
        }
        let mut entries = Vec::with_capacity(numbers.len());
        let mut by_key: HashMap<Key, VecDeque<usize>> = HashMap::new();
        let mut loose = VecDeque::new();
        for number in numbers {
            let exchange = read_exchange(folder, number)?;
            check_files(folder, &exchange)?;
            let key = exchange.request.key();
            if key.body == KeyBody::Partial {
                loose.push_back(entries.len());
            } else {
                by_key.entry(key.clone()).or_default().push_back(entries.len());
            }
            entries.push(Entry {
                number,
                key,
                used: false,
                optional: matches!(exchange.outcome, Outcome::Cancelled),
            });
        }
        Ok(Self {
            replay: Arc::new(Replay {
                folder: folder.to_owned(),
                origin: manifest.origin,
                finished: manifest.finished,
                state: Mutex::new(State {
                    cleaner: Cleaner::for_replay(),
                    entries,
                    by_key,
                    loose,
                    unexpected: Vec::new(),
                    checked: false,
                }),
            }),
        })
    }

    /// Scheme, host and port of the first recorded request: what a client's base URL has to be, unless the server stood
    /// below a path.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.replay.origin.as_deref()
    }

    /// Whether the recording was ended in order. One that was killed holds the exchanges up to then.
    #[must_use]
    pub fn is_finished_recording(&self) -> bool {
        self.replay.finished
    }

    /// How many exchanges are recorded.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.replay.state().entries.len()
    }

    /// The recorded requests that were not made so far, in a few words each.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        self.replay.state().unused()
    }

    /// Checks that all recorded requests were made, and no others. After that, dropping the transport checks nothing more.
    ///
    /// # Errors
    /// The text that [`finish`](Self::finish) panics with.
    pub fn verify(&self) -> Result<(), String> {
        let mut state = self.replay.state();
        state.checked = true;
        state.verify()
    }

    /// The same check for the end of a test.
    ///
    /// # Panics
    /// When a recorded request was not made, or one was made that is not recorded.
    #[track_caller]
    pub fn finish(&self) {
        if let Err(message) = self.verify() {
            panic!("{message}");
        }
    }
}

#[async_trait]
impl Transport for ReplayTransport {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (parts, body) = request.into_parts();
        let read = if request::is_call(&parts.method) {
            Received::Call(body.collect(request::LARGEST_TEXT).await?)
        } else {
            Received::File(digest(body).await?)
        };
        let number = self.replay.take(&parts, read)?;
        let damaged = |error: RecordError| {
            TransportError::new(TransportErrorKind::Other, "the recording cannot be read").with_source(error)
        };
        let exchange = read_exchange(&self.replay.folder, number).map_err(damaged)?;
        match exchange.outcome {
            Outcome::Answer(answer) => response(&self.replay.folder, number, answer),
            Outcome::Error(error) => Err(replayed_error(&error)),
            Outcome::Cancelled => std::future::pending().await,
        }
    }
}

/// The body of a request, as far as the comparison needs it.
enum Received {
    Call(Bytes),
    File(Option<FileRecord>),
}

/// Size and digest of an upload; `None` for an empty one.
async fn digest(mut body: Body) -> Result<Option<FileRecord>, TransportError> {
    let mut digest = Sha256::new();
    let mut size = 0;
    while let Some(chunk) = body.try_next().await? {
        digest.update(&chunk);
        size += chunk.len() as u64;
    }
    Ok((size > 0).then(|| FileRecord {
        size,
        sha256: request::hexadecimal(&digest.finalize()),
        complete: true,
        withheld: None,
    }))
}

impl Replay {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the exchange that a request is; it is used up then.
    fn take(&self, parts: &http::request::Parts, read: Received) -> Result<u32, TransportError> {
        let mut state = self.state();
        let state = &mut *state;
        state.cleaner.learn(&parts.headers);
        let mut record = request::head(&mut state.cleaner, &parts.method, &parts.uri, &parts.headers);
        record.body = match read {
            Received::Call(bytes) => request::clean_call(&mut state.cleaner, &parts.headers, &bytes),
            Received::File(Some(file)) => BodyRecord::File(file),
            Received::File(None) => BodyRecord::Empty,
        };
        let key = record.key();
        let exact = state.by_key.get_mut(&key).and_then(VecDeque::pop_front);
        let found = exact.or_else(|| {
            let entries = &state.entries;
            let place = state
                .loose
                .iter()
                .position(|index| entries[*index].key.takes(&key))?;
            state.loose.remove(place)
        });
        if let Some(index) = found {
            let entry = &mut state.entries[index];
            entry.used = true;
            return Ok(entry.number);
        }
        let mut message = format!(
            "the request is not in the recording: {}: {}",
            key.summary(),
            state.explain(&key)
        );
        if !self.finished {
            message.push_str(" (the recording was not finished)");
        }
        state.unexpected.push(message.clone());
        Err(TransportError::new(TransportErrorKind::InvalidRequest, message))
    }
}

impl State {
    /// What was expected instead of a request.
    fn explain(&self, key: &Key) -> String {
        let mut unused = self.entries.iter().filter(|entry| !entry.used);
        let Some(next) = unused.next() else {
            return "nothing more is expected".to_owned();
        };
        // Of requests that are equally alike the earliest.
        let nearest = std::iter::once(next)
            .chain(unused)
            .reduce(|best, entry| {
                if entry.key.likeness(key) > best.key.likeness(key) {
                    entry
                } else {
                    best
                }
            })
            .unwrap_or(next);
        let expected = format!("next expected is number {}, {}", next.number, next.key.summary());
        let difference = nearest.key.difference(key);
        if nearest.number == next.number {
            format!("{expected}; {difference}")
        } else {
            format!(
                "{expected}; nearest is number {}, {}; {difference}",
                nearest.number,
                nearest.key.summary()
            )
        }
    }

    fn unused(&self) -> Vec<String> {
        self.entries
            .iter()
            .filter(|entry| !entry.used && !entry.optional)
            .map(|entry| format!("number {}, {}", entry.number, entry.key.summary()))
            .collect()
    }

    fn verify(&self) -> Result<(), String> {
        let unused = self.unused();
        let missing = unused
            .iter()
            .map(|what| format!("recorded, but not asked for: {what}"));
        let faults: Vec<String> = self.unexpected.iter().cloned().chain(missing).collect();
        if faults.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the recording was not followed\n- {}",
            faults.join("\n- ")
        ))
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A second panic would abort the test program and hide the first.
        if state.checked || std::thread::panicking() {
            return;
        }
        if let Err(message) = state.verify() {
            panic!("{message}");
        }
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        formatter
            .debug_struct("Replay")
            .field("folder", &self.folder)
            .field("exchanges", &state.entries.len())
            .field("unused", &state.unused().len())
            .finish_non_exhaustive()
    }
}
