//! The bytes of one object, or of one range of it, over as many connections as it takes.
//!
//! The one place that knows how to go on: after a break by range, guarded by the entity tag; after a refusal with another
//! address; after a slow minute not at all.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_RANGE, ETAG, IF_RANGE, RANGE},
};
use wandb_core::{
    Error, ErrorKind, Result,
    client::{Client, Fetch, Fetched},
};

use super::{
    address::{Address, AddressSource},
    pace::{Pace, too_slow},
    progress::Progress,
};

/// How often a transfer that breaks off is continued, as long as each time brings some bytes.
const MAX_BREAKS: u32 = 100;

/// How often it may break off in a row without a new byte.
const MAX_IDLE_BREAKS: u32 = 4;

/// The cap of the pause before a transfer that broke off is continued; it doubles with each time without a new byte.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// How often another address is asked for.
const MAX_RENEWALS: u32 = 4;

/// How bytes are collected before they are written, in bytes.
const WRITE_SIZE: usize = 1 << 20;

/// Takes bytes in order.
#[async_trait]
pub(crate) trait Sink: Send {
    /// The offset in the object of the next byte.
    fn position(&self) -> u64;

    /// Takes the next bytes.
    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<()>;

    /// Forgets everything, because the object comes from its beginning again; gives how many bytes are forgotten. `None`
    /// where that is not possible.
    async fn restart(&mut self) -> Result<Option<u64>>;

    /// Looks at the head of an answer before its bytes are taken.
    fn look_at(&mut self, _headers: &HeaderMap) -> Result<()> {
        Ok(())
    }
}

/// A transfer into a sink.
pub(crate) struct Receive<'a> {
    pub(crate) client: &'a Client,
    /// For messages.
    pub(crate) name: &'a str,
    pub(crate) addresses: &'a dyn AddressSource,
    pub(crate) progress: &'a dyn Progress,
    /// Where the object or the range ends; `None` when that is not known.
    pub(crate) end: Option<u64>,
    /// How many bytes are taken where the end is not known.
    pub(crate) limit: u64,
    /// Whether only a range of a larger object is wanted.
    pub(crate) is_range: bool,
    /// The strong entity tag of the object, once known.
    pub(crate) etag: Option<HeaderValue>,
    /// The address that worked last.
    pub(crate) address: Option<Address>,
    pub(crate) transferred: u64,
    /// Whether the server asked to slow down.
    pub(crate) was_pushed_back: bool,
    pub(crate) pace: Pace,
}

impl<'a> Receive<'a> {
    pub(crate) fn new(
        client: &'a Client,
        name: &'a str,
        addresses: &'a dyn AddressSource,
        progress: &'a dyn Progress,
        end: Option<u64>,
    ) -> Self {
        Self {
            client,
            name,
            addresses,
            progress,
            end,
            limit: u64::MAX,
            is_range: false,
            etag: None,
            address: None,
            transferred: 0,
            was_pushed_back: false,
            pace: Pace::default(),
        }
    }

    /// Receives until the end. The bytes are as the servers gave them: the caller verifies them.
    pub(crate) async fn run(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let (mut breaks, mut idle, mut renewals) = (0, 0, 0);
        loop {
            let address = match &self.address {
                Some(address) => address.clone(),
                None => self.addresses.first().await?,
            };
            let before = self.transferred;
            self.address = Some(address.clone());
            let error = match self.attempt(&address, sink).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if is_refusal(&error) && renewals < MAX_RENEWALS {
                renewals += 1;
                match self.addresses.renew(&address).await? {
                    Some(other) if other != address => {
                        self.address = Some(other);
                        continue;
                    }
                    _ => return Err(error),
                }
            }
            breaks += 1;
            idle = if self.transferred > before { 0 } else { idle + 1 };
            let broke_off = error.status().is_none() && wandb_core::retry::is_transient(&error);
            if self.pace.is_too_slow() || !broke_off || breaks > MAX_BREAKS || idle > MAX_IDLE_BREAKS {
                return Err(error);
            }
            self.was_pushed_back = true;
            pause(self.client, idle).await;
        }
    }

    /// One connection: from where the bytes end, to the end of what is wanted or of the connection.
    async fn attempt(&mut self, address: &Address, sink: &mut dyn Sink) -> Result<()> {
        let have = sink.position();
        if self.end == Some(have) && (have > 0 || self.is_range) {
            return Ok(());
        }
        let mut fetch = fetch_of(address, self.name);
        if have > 0 || self.is_range {
            let range = match self.end.filter(|_| self.is_range) {
                Some(end) => format!("bytes={have}-{}", end - 1),
                None => format!("bytes={have}-"),
            };
            fetch = fetch.header(RANGE, header_value(&range)?);
            if let Some(etag) = &self.etag {
                fetch = fetch.header(IF_RANGE, etag.clone());
            }
        }
        let Fetched {
            status,
            headers,
            mut body,
            attempts,
        } = self.client.fetch(&fetch).await?;
        self.was_pushed_back |= attempts > 1;
        let goes_on = continues(status, &headers, have);
        if (have > 0 || self.is_range) && !goes_on {
            // The whole object again: the server does not do ranges, or the object changed.
            match sink.restart().await? {
                Some(forgotten) => self.progress.retract(forgotten),
                None => return Err(no_range()),
            }
        } else if have == 0 && status != StatusCode::OK && !goes_on {
            return Err(Error::protocol(format!(
                "the server answered {status} where the whole of {:?} was asked for",
                self.name
            )));
        }
        sink.look_at(&headers)?;
        self.etag = strong_etag(&headers);
        if let Some(announced) = body.size() {
            self.check_limit(sink.position().saturating_add(announced))?;
        }
        let mut chunks: Vec<Bytes> = Vec::new();
        let mut collected = 0;
        let runtime = Arc::clone(self.client.runtime());
        let failed = loop {
            let asked = runtime.now();
            let next = body.next().await;
            let bytes = next
                .as_ref()
                .and_then(|chunk| chunk.as_ref().ok())
                .map_or(0, Bytes::len);
            self.pace.note(runtime.now().saturating_sub(asked), bytes);
            match next {
                // The end of the body is welcome however late it comes.
                Some(_) if self.pace.is_too_slow() => break Some(too_slow()),
                Some(Ok(chunk)) => {
                    collected += chunk.len();
                    // A server that goes on for ever must not fill the disk.
                    if let Some(end) = self.end
                        && sink.position() + collected as u64 > end
                    {
                        return Err(Error::new(
                            ErrorKind::Integrity,
                            format!("more bytes than were promised arrived for {:?}", self.name),
                        ));
                    }
                    self.check_limit(sink.position().saturating_add(collected as u64))?;
                    chunks.push(chunk);
                    if collected >= WRITE_SIZE {
                        self.write(sink, &mut chunks).await?;
                        collected = 0;
                    }
                }
                Some(Err(error)) => break Some(Error::from(error)),
                None => break None,
            }
        };
        self.write(sink, &mut chunks).await?;
        failed.map_or(Ok(()), Err)
    }

    fn check_limit(&self, size: u64) -> Result<()> {
        if self.end.is_none() && size > self.limit {
            return Err(too_long(self.name, self.limit));
        }
        Ok(())
    }

    async fn write(&mut self, sink: &mut dyn Sink, chunks: &mut Vec<Bytes>) -> Result<()> {
        let bytes: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        if bytes > 0 {
            sink.write(std::mem::take(chunks)).await?;
            self.transferred += bytes;
            self.progress.advance(bytes);
        }
        Ok(())
    }
}

/// The request for an address. The bytes are wanted as they are stored, for they are what the digest is of.
pub(crate) fn fetch_of(address: &Address, name: &str) -> Fetch {
    let fetch = Fetch::get(address.url.clone(), format!("fetch the bytes of {name:?}"))
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if address.with_credential {
        fetch
    } else {
        fetch.without_credential()
    }
}

/// What an object gets that is longer than what is taken of one whose size nobody recorded.
pub(crate) fn too_long(name: &str, limit: u64) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!("no size was recorded for {name:?}, and it has more than {limit} bytes"),
    )
    .with_hint("raise the limit if that is meant, or skip references")
}

/// Whether another address may help (protocol §6.3).
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error.status(), Some(401 | 403 | 404 | 410))
}

/// The pause before the next try. Full jitter, so that many transfers that one server broke off do not all come back at
/// once.
pub(crate) async fn pause(client: &Client, idle: u32) {
    let runtime = client.runtime();
    let cap = FIRST_PAUSE.saturating_mul(1 << idle.min(6));
    runtime.sleep(cap.mul_f64(runtime.random())).await;
}

/// The tag that two answers for the same bytes share. A weak one does not promise that.
pub(crate) fn strong_etag(headers: &HeaderMap) -> Option<HeaderValue> {
    headers
        .get(ETAG)
        .filter(|tag| !tag.as_bytes().starts_with(b"W/"))
        .cloned()
}

/// What a range gets whose server gives no range of this object (any more).
pub(crate) fn no_range() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "the server gave the whole object, or another one, where a range was asked for",
    )
}

pub(crate) fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(text)
        .map_err(|error| Error::invalid_input("a header cannot be written").with_source(error))
}

/// Whether an answer goes on exactly where the bytes end.
fn continues(status: StatusCode, headers: &HeaderMap, have: u64) -> bool {
    status == StatusCode::PARTIAL_CONTENT
        && headers
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| {
                text.strip_prefix("bytes ")?
                    .split_once('-')?
                    .0
                    .trim()
                    .parse()
                    .ok()
            })
            .is_some_and(|start: u64| start == have)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_place_goes_on() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, value.parse().unwrap());
            headers
        };
        let partial = StatusCode::PARTIAL_CONTENT;
        assert!(continues(partial, &with("bytes 5-9/10"), 5));
        assert!(continues(partial, &with("bytes 0-9/*"), 0));
        assert!(!continues(partial, &with("bytes 4-9/10"), 5));
        assert!(!continues(StatusCode::OK, &with("bytes 5-9/10"), 5));
        assert!(!continues(partial, &HeaderMap::new(), 0));
        assert!(!continues(partial, &with("lines 5-9/10"), 5));
    }
}
