//! Taking items off a stream while stdout is buffered.

use std::io::{self, Write};

use futures_util::{FutureExt, Stream, StreamExt};

/// The next item. Where it must be waited for, what is buffered is written first, so that `jsonl` comes as it arrives
/// and a full page costs one system call and not one a row.
pub(crate) async fn next_or_flush<S>(stream: &mut S, out: &mut impl Write) -> io::Result<Option<S::Item>>
where
    S: Stream + Unpin,
{
    if let Some(ready) = stream.next().now_or_never() {
        return Ok(ready);
    }
    out.flush()?;
    Ok(stream.next().await)
}
