//! Answers in gzip, unpacked while they stream.

use std::io::{self, BufRead, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http_body::Frame;

use crate::{TransportError, TransportErrorKind};

/// How much is unpacked at a time, in bytes. It bounds the memory that a chunk can grow to, whatever its ratio.
const PIECE: usize = 64 * 1024;

/// A body that is the unpacked form of another one.
///
/// A body that ends before its gzip data is complete, or goes on after it, is an error.
pub(super) struct Gunzip<B> {
    body: B,
    decoder: MultiGzDecoder<Source>,
    /// Where a piece is unpacked to; what comes out is a copy of its own size.
    piece: Box<[u8]>,
    started: bool,
}

/// What has come in and is not unpacked yet. "Nothing here yet" is the error `WouldBlock`, which the decoder passes
/// through without losing its place.
#[derive(Debug, Default)]
struct Source {
    chunk: Bytes,
    ended: bool,
}

impl<B> Gunzip<B> {
    pub(super) fn new(body: B) -> Self {
        Self {
            body,
            decoder: MultiGzDecoder::new(Source::default()),
            piece: vec![0; PIECE].into_boxed_slice(),
            started: false,
        }
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        let _ = self.chunk.split_to(amount);
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

impl<B> http_body::Body for Gunzip<B>
where
    B: http_body::Body<Data = Bytes, Error = TransportError> + Unpin,
{
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        loop {
            let source = this.decoder.get_mut();
            if source.chunk.is_empty() && !source.ended {
                match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                    // Trailers belong to the packed form.
                    Some(Ok(frame)) => source.chunk = frame.into_data().unwrap_or_default(),
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => source.ended = true,
                }
                this.started |= !source.chunk.is_empty();
                // No byte at all is how some servers mark an empty body as gzip.
                if source.ended && !this.started {
                    return Poll::Ready(None);
                }
                continue;
            }
            match this.decoder.read(&mut this.piece) {
                Ok(0) => return Poll::Ready(None),
                Ok(amount) => {
                    let piece = Bytes::copy_from_slice(&this.piece[..amount]);
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    let message = "the body is not the gzip data that its header announces";
                    let error = TransportError::new(TransportErrorKind::Decode, message).with_source(error);
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures_core::Stream;
    use proptest::prelude::*;

    use super::*;
    use crate::Body;

    struct Chunks(Vec<Bytes>);

    impl Stream for Chunks {
        type Item = Result<Bytes, TransportError>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            // Every other call finds nothing, as on a slow network; an empty chunk stands for that.
            match self.0.pop() {
                Some(chunk) if chunk.is_empty() => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                other => Poll::Ready(other.map(Ok)),
            }
        }
    }

    fn pack(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    async fn unpack(packed: &[u8], chunk: usize) -> Result<Bytes, TransportErrorKind> {
        let mut chunks = Vec::new();
        for chunk in packed.chunks(chunk) {
            chunks.extend([Bytes::copy_from_slice(chunk), Bytes::new()]);
        }
        chunks.reverse();
        let body = Body::wrap(Gunzip::new(Body::from_stream(Chunks(chunks), None)));
        body.collect(1 << 30).await.map_err(|error| error.kind())
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[tokio::test]
    async fn every_cut_and_every_tail_is_found() {
        let packed = pack(b"some text, some text, some text");
        for end in 1..packed.len() {
            assert_eq!(
                unpack(&packed[..end], 7).await,
                Err(TransportErrorKind::Decode),
                "cut at {end}"
            );
        }
        let mut tail = packed.clone();
        tail.extend(b"tail");
        assert_eq!(unpack(&tail, 7).await, Err(TransportErrorKind::Decode));
        let mut wrong = packed.clone();
        let checksum = wrong.len() - 6;
        wrong[checksum] ^= 1;
        assert_eq!(unpack(&wrong, 7).await, Err(TransportErrorKind::Decode));
        assert_eq!(
            unpack(b"{\"plain\": true}", 7).await,
            Err(TransportErrorKind::Decode)
        );
        assert_eq!(unpack(b"", 7).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_bomb_comes_out_in_pieces() {
        let packed = Bytes::from(pack(&vec![0; 8 << 20]));
        let mut body = Box::pin(Gunzip::new(Body::from(packed)));
        let mut total = 0;
        while let Some(frame) =
            std::future::poll_fn(|cx| http_body::Body::poll_frame(body.as_mut(), cx)).await
        {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(piece.len() <= PIECE);
            total += piece.len();
        }
        assert_eq!(total, 8 << 20);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn unpacks_members_in_chunks_of_any_size(
            members in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..3000), 1..3),
            chunk in 1usize..200,
        ) {
            let packed: Vec<u8> = members.iter().flat_map(|member| pack(member)).collect();
            prop_assert_eq!(run(unpack(&packed, chunk)).unwrap(), members.concat());
        }

        #[test]
        fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..200), chunk in 1usize..50) {
            let mut with_header = pack(b"")[..10].to_vec();
            with_header.extend(&noise);
            let _ = run(unpack(&with_header, chunk));
            let _ = run(unpack(&noise, chunk));
        }
    }
}
