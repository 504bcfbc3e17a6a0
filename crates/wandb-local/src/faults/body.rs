//! Bodies that are cut, slowed or damaged.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

/// How often a slow body sends something.
const TICK: Duration = Duration::from_millis(50);

type Chunk = Result<Bytes, axum::Error>;

/// Ends with an error after `after` bytes, and in any case before the end.
pub(super) fn cut(body: Body, after: u64, length: Option<u64>) -> Body {
    let after = length.map_or(after, |length| after.min(length.saturating_sub(1)));
    let mut left = after;
    let kept = body.into_data_stream().map(move |chunk: Chunk| {
        let mut chunk = chunk?;
        // Zero only where something was cut off: the end of what is kept.
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= chunk.len() as u64;
        Ok::<_, axum::Error>((chunk, left))
    });
    let broken = stream::once(async {
        // Once round the scheduler, so that the HTTP layer sends what it has before it learns of the end.
        tokio::task::yield_now().await;
        Err(axum::Error::new(io::Error::from(io::ErrorKind::ConnectionReset)))
    });
    // A chunk that uses up what is left is the last one.
    let kept = kept.scan(false, |ended, item| {
        let stop = *ended;
        *ended = matches!(&item, Ok((_, 0)));
        std::future::ready((!stop).then(|| item.map(|(chunk, _)| chunk)))
    });
    Body::from_stream(kept.chain(broken))
}

/// Inverts the lowest bit of the byte at `at`, counted round the length if that is known.
pub(super) fn flip(body: Body, at: u64, length: Option<u64>) -> Body {
    let at = length
        .filter(|length| *length > 0)
        .map_or(at, |length| at % length);
    let mut offset = 0_u64;
    Body::from_stream(body.into_data_stream().map(move |chunk: Chunk| {
        let chunk = chunk?;
        let start = offset;
        offset += chunk.len() as u64;
        if !(start..offset).contains(&at) {
            return Ok::<_, axum::Error>(chunk);
        }
        let mut damaged = chunk.to_vec();
        damaged[(at - start) as usize] ^= 1;
        Ok(damaged.into())
    }))
}

/// Inverts every bit.
pub(super) fn swap(body: Body) -> Body {
    Body::from_stream(body.into_data_stream().map(|chunk: Chunk| {
        let inverted: Vec<u8> = chunk?.iter().map(|byte| !byte).collect();
        Ok::<_, axum::Error>(Bytes::from(inverted))
    }))
}

/// Sends so many bytes a second, a little at a time.
pub(super) fn slow(body: Body, bytes_per_second: u64) -> Body {
    let per_tick = bytes_per_second.saturating_mul(TICK.as_millis() as u64) / 1000;
    let size = usize::try_from(per_tick).unwrap_or(usize::MAX).max(1);
    // Below one byte a tick, the ticks are longer.
    let pause = TICK.max(Duration::from_secs(1) / u32::try_from(bytes_per_second.max(1)).unwrap_or(u32::MAX));
    let pieces = body
        .into_data_stream()
        .flat_map(move |chunk: Chunk| pieces(chunk, size));
    Body::from_stream(pieces.then(move |piece| async move {
        tokio::time::sleep(pause).await;
        piece
    }))
}

/// A chunk in pieces of a size.
fn pieces(chunk: Chunk, size: usize) -> impl Stream<Item = Chunk> + Send {
    let (mut rest, failure) = match chunk {
        Ok(chunk) => (chunk, None),
        Err(error) => (Bytes::new(), Some(Err(error))),
    };
    let whole = std::iter::from_fn(move || {
        let size = size.min(rest.len());
        (size > 0).then(|| Ok(rest.split_to(size)))
    });
    stream::iter(whole.chain(failure))
}
