//! The recording transport.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{Method, Request, Response, header::CONTENT_LENGTH};
use wandb_storage::{Directory, Existing};
use wandb_transport::{Body, Transport, TransportError, TransportErrorKind};

use crate::RecordError;
use crate::clean::Cleaner;
use crate::format::{
    self, AnswerRecord, BodyRecord, End, Exchange, MANIFEST, Manifest, Outcome, RequestRecord, Side,
};
use crate::request;
use crate::tap::{self, AnswerSink, AnswerStream, ByteSink, Upload};

/// Passes everything on to another transport and writes it into a folder, without its secrets.
///
/// The folder is made for people to read and to keep in a repository: one JSON file for each exchange, in the order in
/// which the requests were made. [`ReplayTransport`](crate::ReplayTransport) plays it.
///
/// - **What is removed**: credentials in headers, cookies, user information, fragments and query values of URLs (signatures
///   among them), tokens in paths, values of JSON members with telling names (`token`, `apiKeys`, `password` …), and each
///   occurrence of a credential that a header carried. See [the crate](crate#secrets) for what stands in their place.
/// - **What is kept as it is**: the bytes of files, downloaded (`GET`) or uploaded (`PUT`), because an altered byte would
///   fail its digest. Bytes that hold a credential of the session are not kept at all.
/// - **Memory** is bounded by the text of the calls in flight; files stream to the disk.
/// - **Killed**, the recording is readable up to the last exchange that was whole, and says that it is not finished.
///
/// Writing blocks the task for as long as the disk takes: this is a tool for making test data. A failure to write does not
/// disturb the traffic; [`finish`](Self::finish) tells it. Clones share the recording.
#[derive(Debug, Clone)]
pub struct RecordingTransport<T> {
    inner: T,
    recorder: Arc<Recorder>,
}

/// What a finished recording holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordingSummary {
    /// How many requests were made.
    pub exchanges: u32,
    /// How many of them were still going on at the end; they are not in the recording.
    pub abandoned: u32,
    /// Where the recording is.
    pub folder: PathBuf,
}

impl<T: Transport> RecordingTransport<T> {
    /// Begins a recording of what passes through `inner`. The folder is made if it is not there.
    ///
    /// # Errors
    /// [`RecordError::Write`], also when the folder holds a recording already.
    pub fn new(inner: T, folder: impl AsRef<Path>) -> Result<Self, RecordError> {
        let directory = Directory::create(folder)?;
        format::write(&directory, MANIFEST, Existing::Refuse, &Manifest::begun())?;
        Ok(Self {
            inner,
            recorder: Arc::new(Recorder {
                directory,
                state: Mutex::new(State {
                    cleaner: Cleaner::for_recording(),
                    origin: None,
                    begun: 0,
                    open: BTreeSet::new(),
                    failure: None,
                    failed: None,
                    finished: None,
                }),
            }),
        })
    }

    /// Also removes this text wherever it stands; shorter than 8 bytes it is passed over. Credentials that requests carry
    /// in their headers are known without it.
    #[must_use]
    pub fn with_secret(self, secret: &str) -> Self {
        self.recorder.state().cleaner.add_credential(secret);
        self
    }

    /// Ends the recording. Read or drop the answers first: exchanges that are still going on are left out. Requests after
    /// this fail; a second call says the same again.
    ///
    /// # Errors
    /// The first failure to write; the recording then stays unfinished, and later calls say so
    /// ([`RecordError::Unfinished`]).
    pub fn finish(&self) -> Result<RecordingSummary, RecordError> {
        let mut state = self.recorder.state();
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        if let Some(reason) = &state.failed {
            return Err(RecordError::Unfinished {
                path: self.recorder.directory.path().to_owned(),
                reason: reason.clone(),
            });
        }
        if let Some(summary) = &state.finished {
            return Ok(summary.clone());
        }
        let summary = RecordingSummary {
            exchanges: state.begun,
            abandoned: u32::try_from(state.open.len()).unwrap_or(u32::MAX),
            folder: self.recorder.directory.path().to_owned(),
        };
        let manifest = Manifest {
            origin: state.origin.clone(),
            finished: true,
            exchanges: state.begun,
            abandoned: state.open.iter().copied().collect(),
            ..Manifest::begun()
        };
        state.finished = Some(summary.clone());
        let written = format::write(&self.recorder.directory, MANIFEST, Existing::Replace, &manifest);
        if let Err(error) = written {
            state.failed = Some(error.to_string());
            return Err(error);
        }
        Ok(summary)
    }
}

#[async_trait]
impl<T: Transport> Transport for RecordingTransport<T> {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (parts, body) = request.into_parts();
        let mut exchange = self.recorder.begin(&parts)?;
        let body = if request::is_call(&parts.method) {
            let bytes = body.collect(request::LARGEST_TEXT).await?;
            exchange.called(&parts, &bytes);
            Body::from(bytes)
        } else {
            exchange.uploads(body).await?
        };
        // A successful answer to anything else is text of the server's.
        let may_be_file = parts.method == Method::GET;
        match self.inner.send(Request::from_parts(parts, body)).await {
            Ok(answer) => Ok(exchange.passes(answer, may_be_file)),
            Err(error) => {
                exchange.failed(&error);
                Err(error)
            }
        }
    }
}

/// The recording, shared by the transport's clones and the exchanges that go on.
pub(crate) struct Recorder {
    directory: Directory,
    state: Mutex<State>,
}

struct State {
    cleaner: Cleaner,
    origin: Option<String>,
    begun: u32,
    open: BTreeSet<u32>,
    /// The first failure to write, until somebody was told.
    failure: Option<RecordError>,
    /// Its text, for ever: a file of the recording is missing.
    failed: Option<String>,
    finished: Option<RecordingSummary>,
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, parts: &http::request::Parts) -> Result<OpenExchange, TransportError> {
        let mut state = self.state();
        if state.finished.is_some() {
            return Err(TransportError::new(
                TransportErrorKind::InvalidRequest,
                "the recording was finished before this request",
            ));
        }
        state.cleaner.learn(&parts.headers);
        if state.origin.is_none() {
            state.origin = request::origin(&parts.uri);
        }
        state.begun += 1;
        let number = state.begun;
        state.open.insert(number);
        let request = request::head(&mut state.cleaner, &parts.method, &parts.uri, &parts.headers);
        Ok(OpenExchange {
            recorder: Arc::clone(self),
            number,
            request: Some(request),
            upload: None,
            answer: None,
        })
    }

    fn note(&self, result: Result<(), RecordError>) {
        if let Err(error) = result {
            let mut state = self.state();
            if state.failed.is_none() {
                state.failed = Some(error.to_string());
                state.failure = Some(error);
            }
        }
    }

    fn write(&self, exchange: &Exchange) {
        // Left out, as the manifest says by now.
        if self.state().finished.is_some() {
            return;
        }
        let name = format::exchange_name(exchange.number);
        self.note(format::write(&self.directory, &name, Existing::Refuse, exchange));
        // Only now: a recording that is finished meanwhile calls this exchange abandoned, and does not miss its file.
        self.state().open.remove(&exchange.number);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        formatter
            .debug_struct("Recorder")
            .field("folder", &self.directory.path())
            .field("begun", &state.begun)
            .field("open", &state.open.len())
            .finish_non_exhaustive()
    }
}

/// An exchange that goes on. Dropping it writes that the caller gave up.
pub(crate) struct OpenExchange {
    recorder: Arc<Recorder>,
    number: u32,
    request: Option<RequestRecord>,
    upload: Option<Upload>,
    answer: Option<AnswerRecord>,
}

impl OpenExchange {
    /// Notes the body of a call.
    fn called(&mut self, parts: &http::request::Parts, bytes: &bytes::Bytes) {
        let body = request::clean_call(&mut self.recorder.state().cleaner, &parts.headers, bytes);
        if matches!(body, BodyRecord::File(_)) {
            self.keep(bytes);
        }
        if let Some(request) = &mut self.request {
            request.body = body;
            request.name_operation();
        }
    }

    fn sink(&self, side: Side) -> ByteSink {
        let credentials = self.recorder.state().cleaner.credentials();
        ByteSink::new(self.recorder.directory.clone(), self.number, side, credentials)
    }

    /// Keeps bytes in memory for the file of the request.
    fn keep(&mut self, bytes: &[u8]) {
        let mut sink = self.sink(Side::Request);
        sink.push(bytes);
        sink.end();
        self.upload = Some(Upload::new(sink));
    }

    /// Notes the body of an upload, and gives it back.
    async fn uploads(&mut self, body: Body) -> Result<Body, TransportError> {
        match body.try_clone() {
            Some(copy) => {
                let size = usize::try_from(copy.size().unwrap_or_default()).unwrap_or(usize::MAX);
                let bytes = copy.collect(size).await?;
                if !bytes.is_empty() {
                    self.keep(&bytes);
                }
                Ok(body)
            }
            None => {
                let upload = Upload::new(self.sink(Side::Request));
                let body = upload.noted(body);
                self.upload = Some(upload);
                Ok(body)
            }
        }
    }

    /// Notes the head of an answer, and gives it back with a body that is noted while it is read.
    fn passes(mut self, answer: Response<Body>, may_be_file: bool) -> Response<Body> {
        let (head, body) = answer.into_parts();
        let is_file = may_be_file && head.status.is_success();
        let announced = body.size();
        let mut headers = self.recorder.state().cleaner.headers(&head.headers, Side::Answer);
        if !is_file {
            // The text may get another length.
            headers.retain(|(name, _)| name != CONTENT_LENGTH.as_str());
        }
        self.answer = Some(AnswerRecord {
            status: head.status.as_u16(),
            headers,
            announced: announced.filter(|size| is_file && *size > 0),
            body: BodyRecord::Empty,
            end: End::Complete,
        });
        if announced == Some(0) {
            self.answered(AnswerSink::Text(Some(Vec::new())), End::Complete);
            return Response::from_parts(head, body);
        }
        let sink = if is_file {
            AnswerSink::Bytes(Box::new(self.sink(Side::Answer)))
        } else {
            AnswerSink::Text(Some(Vec::new()))
        };
        let stream = AnswerStream {
            body,
            announced,
            received: 0,
            open: Some((self, sink)),
        };
        Response::from_parts(head, Body::from_stream(stream, announced))
    }

    /// Writes the exchange: the body has ended.
    pub(crate) fn answered(mut self, sink: AnswerSink, end: End) {
        let body = match sink {
            AnswerSink::Bytes(mut sink) => {
                if matches!(end, End::Complete) {
                    sink.end();
                }
                sink.finish()
            }
            AnswerSink::Text(text) => Ok(self.clean_text(text)),
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                self.request = None;
                return self.recorder.note(Err(error));
            }
        };
        if let Some(answer) = self.answer.take() {
            self.write(Outcome::Answer(AnswerRecord { body, end, ..answer }));
        }
    }

    fn clean_text(&self, text: Option<Vec<u8>>) -> BodyRecord {
        let withheld = |bytes: &[u8], reason: &str| {
            BodyRecord::File(format::FileRecord {
                withheld: Some(reason.to_owned()),
                ..request::file_record(bytes)
            })
        };
        let Some(bytes) = text else {
            return withheld(&[], "the text is too large to be searched for secrets");
        };
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            // Broken off inside of a character.
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return withheld(&bytes, "it is neither text nor a file, and may hold secrets"),
        };
        BodyRecord::of_text(self.recorder.state().cleaner.body(text, Side::Answer))
    }

    fn failed(mut self, error: &TransportError) {
        self.write(Outcome::Error(tap::error_record(error)));
    }

    fn write(&mut self, outcome: Outcome) {
        let Some(mut request) = self.request.take() else {
            return;
        };
        if let Some(sink) = self.upload.take().and_then(|upload| upload.take()) {
            match sink.finish() {
                Ok(body) => request.body = body,
                Err(error) => return self.recorder.note(Err(error)),
            }
        }
        self.recorder.write(&Exchange {
            number: self.number,
            request,
            outcome,
        });
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.write(Outcome::Cancelled);
    }
}
