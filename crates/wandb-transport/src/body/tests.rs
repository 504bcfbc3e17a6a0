//! Tests of [`Body`].

use std::collections::VecDeque;

use super::*;

/// A stream over prepared items, and a check that it is not polled after its end.
struct Items(VecDeque<Result<Bytes, TransportError>>, bool);

fn items<const N: usize>(items: [Result<&'static str, TransportError>; N]) -> Items {
    Items(
        items
            .into_iter()
            .map(|item| item.map(|text| Bytes::from_static(text.as_bytes())))
            .collect(),
        false,
    )
}

impl Stream for Items {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        assert!(!self.1, "polled after the end");
        let next = self.0.pop_front();
        self.1 = next.is_none();
        Poll::Ready(next)
    }
}

fn kind(result: Result<Bytes, TransportError>) -> TransportErrorKind {
    result.expect_err("an error").kind()
}

#[test]
fn is_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Body>();
    check::<TransportError>();
}

#[tokio::test]
async fn memory_is_given_back_without_a_copy() {
    let bytes = Bytes::from(vec![7; 1000]);
    let start = bytes.as_ptr();
    let body = Body::from(bytes);
    let again = body.try_clone().unwrap();
    assert_eq!(body.collect(1000).await.unwrap().as_ptr(), start);
    assert_eq!(again.collect(1000).await.unwrap().as_ptr(), start);
}

#[tokio::test]
async fn chunks_are_joined_and_the_limit_is_inclusive() {
    let chunks = || Body::from_stream(items([Ok("ab"), Ok(""), Ok("cd"), Ok("e")]), None);
    assert_eq!(chunks().collect(5).await.unwrap(), "abcde");
    assert_eq!(kind(chunks().collect(4).await), TransportErrorKind::BodyTooLarge);
    assert_eq!(kind(chunks().collect(1).await), TransportErrorKind::BodyTooLarge);
    assert_eq!(Body::empty().collect(0).await.unwrap(), "");
    assert_eq!(
        kind(Body::from("x").collect(0).await),
        TransportErrorKind::BodyTooLarge
    );
}

#[tokio::test]
async fn an_announced_size_over_the_limit_is_refused_before_reading() {
    let never = Body::from_stream(items([]), Some(u64::MAX));
    assert_eq!(kind(never.collect(10).await), TransportErrorKind::BodyTooLarge);
}

#[tokio::test]
async fn a_stream_is_held_to_its_declared_size() {
    assert_eq!(
        Body::from_stream(items([Ok("ab"), Ok("c")]), Some(3))
            .collect(9)
            .await
            .unwrap(),
        "abc"
    );
    for size in [2, 4] {
        let body = Body::from_stream(items([Ok("ab"), Ok("c")]), Some(size));
        assert_eq!(
            kind(body.collect(9).await),
            TransportErrorKind::InvalidRequest,
            "size {size}"
        );
    }
}

#[tokio::test]
async fn a_size_is_complete_only_when_the_stream_has_ended() {
    let mut body = Body::from_stream(items([Ok("ab"), Ok("c"), Ok("d")]), Some(3));
    assert_eq!(body.next_chunk().await.unwrap().unwrap(), "ab");
    assert_eq!(body.size(), Some(1));
    assert_eq!(
        kind(body.next_chunk().await.unwrap()),
        TransportErrorKind::InvalidRequest
    );
    assert!(body.next_chunk().await.is_none());
}

#[tokio::test]
async fn an_error_ends_the_body() {
    let broken = TransportError::new(TransportErrorKind::Timeout, "slow");
    let mut body = Body::from_stream(items([Ok("ab"), Err(broken), Ok("never seen")]), None);
    assert_eq!(body.next_chunk().await.unwrap().unwrap(), "ab");
    assert_eq!(
        kind(body.next_chunk().await.unwrap()),
        TransportErrorKind::Timeout
    );
    assert!(body.next_chunk().await.is_none());
    assert!(body.next_chunk().await.is_none());
}

#[tokio::test]
async fn wraps_foreign_bodies_and_unwraps_its_own() {
    let foreign = Body::wrap(http_body_util::Full::new(Bytes::from_static(b"hello")));
    assert_eq!(foreign.size(), Some(5));
    assert!(foreign.try_clone().is_none());
    assert_eq!(foreign.collect(5).await.unwrap(), "hello");

    let own = Body::wrap(Body::from("hello"));
    assert!(own.try_clone().is_some(), "still in memory");
}

#[tokio::test]
async fn trailers_pass_as_frames_and_are_no_chunks() {
    let trailers = || {
        let full = http_body_util::Full::new(Bytes::from_static(b"hi"));
        Body::wrap(full.with_trailers(std::future::ready(Some(Ok(http::HeaderMap::new())))))
    };
    assert_eq!(trailers().collect(2).await.unwrap(), "hi");
    let collected = BodyExt::collect(trailers()).await.unwrap();
    assert!(collected.trailers().is_some());
}

#[test]
fn debug_shows_sizes_only() {
    let secret = Body::from("secret");
    assert_eq!(format!("{secret:?}"), "Body(6 bytes)");
    assert_eq!(
        format!("{:?}", Body::from_stream(items([Ok("secret")]), None)),
        "Body(stream)"
    );
    assert_eq!(
        format!("{:?}", Body::from_stream(items([]), Some(3))),
        "Body(stream of 3 bytes)"
    );
}
