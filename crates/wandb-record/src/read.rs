//! Exchanges out of a folder: checked when a recording is opened, and made into answers when they are asked for.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream;
use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode};
use sha2::{Digest, Sha256};
use wandb_transport::{Body, TransportError, TransportErrorKind};

use crate::RecordError;
use crate::format::{self, AnswerRecord, BodyRecord, End, ErrorRecord, Exchange, Outcome, Side};
use crate::request;

/// How much of a recorded file is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

pub(crate) fn check_numbers(
    folder: &Path,
    manifest: &format::Manifest,
    numbers: &[u32],
) -> Result<(), RecordError> {
    let mut found = numbers.iter().copied().peekable();
    for number in 1..=manifest.exchanges {
        if found.next_if_eq(&number).is_none() && !manifest.abandoned.contains(&number) {
            let path = folder.join(format::exchange_name(number));
            return Err(RecordError::damaged(path, "it is missing"));
        }
    }
    match found.next() {
        Some(number) => Err(RecordError::damaged(
            folder.join(format::exchange_name(number)),
            "it is one more than the recording has",
        )),
        None => Ok(()),
    }
}

pub(crate) fn read_exchange(folder: &Path, number: u32) -> Result<Exchange, RecordError> {
    let path = folder.join(format::exchange_name(number));
    let exchange: Exchange =
        format::read(&path)?.ok_or_else(|| RecordError::damaged(&path, "it is missing"))?;
    if exchange.number != number {
        return Err(RecordError::damaged(
            path,
            format!("it calls itself number {}", exchange.number),
        ));
    }
    check_values(&exchange).map_err(|reason| RecordError::damaged(path, reason))?;
    Ok(exchange)
}

/// Checks what the types leave open.
fn check_values(exchange: &Exchange) -> Result<(), String> {
    let check_kind = |error: &ErrorRecord| match format::kind_of(&error.kind) {
        Some(_) => Ok(()),
        None => Err(format!("there is no kind of error {:?}", error.kind)),
    };
    match &exchange.outcome {
        Outcome::Cancelled => Ok(()),
        Outcome::Error(error) => check_kind(error),
        Outcome::Answer(answer) => {
            StatusCode::from_u16(answer.status).map_err(|_| format!("{} is no status", answer.status))?;
            for (name, value) in &answer.headers {
                let good = HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok();
                if !good {
                    return Err(format!("the header {name:?} is none"));
                }
            }
            match &answer.end {
                End::Error(error) => check_kind(error),
                End::Complete | End::Dropped => Ok(()),
            }
        }
    }
}

/// Checks that the byte files of an answer are there with their sizes.
pub(crate) fn check_files(folder: &Path, exchange: &Exchange) -> Result<(), RecordError> {
    let Outcome::Answer(answer) = &exchange.outcome else {
        return Ok(());
    };
    let BodyRecord::File(file) = &answer.body else {
        return Ok(());
    };
    if file.withheld.is_some() {
        return Ok(());
    }
    let path = folder.join(format::bytes_name(exchange.number, Side::Answer));
    match std::fs::metadata(&path) {
        Ok(facts) if facts.is_file() && facts.len() == file.size => Ok(()),
        Ok(_) => Err(RecordError::damaged(
            path,
            format!("it does not have {} bytes", file.size),
        )),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(RecordError::damaged(path, "it is missing"))
        }
        Err(source) => Err(RecordError::Read { path, source }),
    }
}

pub(crate) fn replayed_error(error: &ErrorRecord) -> TransportError {
    let kind = format::kind_of(&error.kind).unwrap_or(TransportErrorKind::Other);
    TransportError::new(kind, error.message.clone())
}

pub(crate) fn response(
    folder: &Path,
    number: u32,
    answer: AnswerRecord,
) -> Result<Response<Body>, TransportError> {
    let broken =
        |what: &str| TransportError::new(TransportErrorKind::Decode, format!("the recorded {what} is none"));
    let end = match &answer.end {
        End::Complete => None,
        End::Dropped => Some(TransportError::new(
            TransportErrorKind::Interrupted,
            "the recorded session stopped reading here",
        )),
        End::Error(error) => Some(replayed_error(error)),
    };
    let body = body(folder, number, answer.body, answer.announced, end)?;
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| broken("status"))?;
    for (name, value) in answer.headers {
        let name = HeaderName::try_from(name).map_err(|_| broken("header"))?;
        let value = HeaderValue::try_from(value).map_err(|_| broken("header"))?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

fn body(
    folder: &Path,
    number: u32,
    record: BodyRecord,
    announced: Option<u64>,
    end: Option<TransportError>,
) -> Result<Body, TransportError> {
    let text = match record {
        BodyRecord::Empty => Bytes::new(),
        BodyRecord::Json(raw) => Bytes::from(String::from(Box::<str>::from(raw))),
        BodyRecord::Text(text) => Bytes::from(text),
        BodyRecord::File(file) => {
            if let Some(reason) = file.withheld {
                return Err(TransportError::new(
                    TransportErrorKind::Other,
                    format!("the body of exchange {number} was not recorded: {reason}"),
                ));
            }
            let path = folder.join(format::bytes_name(number, Side::Answer));
            let chunks = FileChunks::open(&path, &file.sha256)?;
            let size = announced.or_else(|| end.is_none().then_some(file.size));
            return Ok(Body::from_stream(stream::iter(chunks.chain(end.map(Err))), size));
        }
    };
    match end {
        None => Ok(Body::from(text)),
        Some(error) => Ok(Body::from_stream(stream::iter([Ok(text), Err(error)]), announced)),
    }
}

/// A recorded file in pieces; its digest is compared at the end.
struct FileChunks {
    file: Option<File>,
    digest: Sha256,
    expected: String,
}

impl FileChunks {
    fn open(path: &Path, expected: &str) -> Result<Self, TransportError> {
        let file = File::open(path).map_err(unreadable)?;
        Ok(Self {
            file: Some(file),
            digest: Sha256::new(),
            expected: expected.to_owned(),
        })
    }
}

fn unreadable(error: std::io::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Other, "a recorded body cannot be read").with_source(error)
}

impl Iterator for FileChunks {
    type Item = Result<Bytes, TransportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file.as_mut()?;
        let mut chunk = vec![0; CHUNK];
        match file.read(&mut chunk) {
            Ok(0) => {
                self.file = None;
                let digest = request::hexadecimal(&std::mem::take(&mut self.digest).finalize());
                (digest != self.expected).then(|| {
                    Err(TransportError::new(
                        TransportErrorKind::Decode,
                        "a recorded body is damaged: its digest is another one",
                    ))
                })
            }
            Ok(count) => {
                chunk.truncate(count);
                self.digest.update(&chunk);
                Some(Ok(Bytes::from(chunk)))
            }
            Err(error) => {
                self.file = None;
                Some(Err(unreadable(error)))
            }
        }
    }
}
