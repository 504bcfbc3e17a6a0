//! Bodies: streaming both ways, cut, endless, packed.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_core::Stream;
use http::{Request, Response};
use http_body_util::channel::Channel;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot};
use wandb_transport::{Body, HyperTransport, ProxyConfig, Transport, TransportError, TransportErrorKind};

use crate::servers::{Server, chain, get, read_head, text, transport};

type Piped = Channel<Bytes, std::io::Error>;

async fn next(body: &mut Body) -> Option<Result<Bytes, TransportError>> {
    std::future::poll_fn(|cx| Pin::new(&mut *body).poll_next(cx)).await
}

#[tokio::test]
async fn a_request_streams_up_while_it_is_made() {
    // The second chunk is made only when the server has the first.
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let server = Server::http(move |request: Request<hyper::body::Incoming>| {
        let arrived = arrived.clone();
        async move {
            let chunked = request.headers().get("transfer-encoding").is_some();
            let mut body = Body::wrap(request.into_body());
            let mut whole = Vec::new();
            while let Some(chunk) = next(&mut body).await {
                whole.extend(chunk.unwrap());
                arrived.send(()).unwrap();
            }
            whole.extend(format!(" chunked: {chunked}").into_bytes());
            Response::new(Body::from(whole))
        }
    })
    .await;
    let (mut sender, body) = Piped::new(1);
    tokio::spawn(async move {
        sender.send_data("first".into()).await.unwrap();
        arrivals.recv().await.unwrap();
        sender.send_data(" second".into()).await.unwrap();
        drop(sender);
        // Keeps the receiver for the arrivals that follow.
        while arrivals.recv().await.is_some() {}
    });
    let answer = transport()
        .send(Request::put(server.url("/")).body(Body::wrap(body)).unwrap())
        .await
        .unwrap();
    assert_eq!(text(answer).await, "first second chunked: true");
}

#[tokio::test]
async fn an_answer_streams_down_while_it_is_made() {
    let (read, first_is_read) = oneshot::channel::<()>();
    let first_is_read = std::sync::Arc::new(std::sync::Mutex::new(Some(first_is_read)));
    let server = Server::http(move |_| {
        let first_is_read = first_is_read.lock().unwrap().take().unwrap();
        async move {
            let (mut sender, body) = Piped::new(1);
            tokio::spawn(async move {
                sender.send_data("first".into()).await.unwrap();
                first_is_read.await.unwrap();
                sender.send_data("second".into()).await.unwrap();
            });
            Response::new(Body::wrap(body))
        }
    })
    .await;
    let mut body = transport().send(get(&server.url("/"))).await.unwrap().into_body();
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "first");
    read.send(()).unwrap();
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "second");
    assert!(next(&mut body).await.is_none());
}

#[tokio::test]
async fn large_bodies_pass_unchanged() {
    let server = Server::http(async |request| Response::new(Body::wrap(request.into_body()))).await;
    let data: Bytes = (0..5_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let answer = transport()
        .send(
            Request::put(server.url("/"))
                .body(Body::from(data.clone()))
                .unwrap(),
        )
        .await
        .unwrap();
    assert!(answer.into_body().collect(data.len()).await.unwrap() == data);
}

#[tokio::test]
async fn a_cut_body_is_an_interruption_however_it_was_framed() {
    for head in [
        "Content-Length: 10\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "Transfer-Encoding: chunked\r\n\r\n8\r\nabc",
    ] {
        let server = Server::raw(move |mut stream| async move {
            read_head(&mut stream).await;
            let answer = format!("HTTP/1.1 200 OK\r\n{head}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let mut body = transport()
            .send(get(&server.url("/x?sig=secret")))
            .await
            .unwrap()
            .into_body();
        assert_eq!(
            next(&mut body).await.unwrap().unwrap(),
            "abc",
            "what came is given out"
        );
        let error = next(&mut body).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Interrupted, "{head:?}");
        assert!(!chain(&error).contains("secret"), "{error:?}");
        assert!(next(&mut body).await.is_none());
    }
}

#[tokio::test]
async fn broken_framing_is_malformed() {
    let server = Server::raw(|mut stream| async move {
        read_head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let body = transport().send(get(&server.url("/"))).await.unwrap().into_body();
    assert_eq!(
        body.collect(100).await.unwrap_err().kind(),
        TransportErrorKind::Decode
    );
}

/// A stream without an end that tells when it is dropped.
struct Endless(Option<oneshot::Sender<()>>);

impl Stream for Endless {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 10_000]))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.0.take().unwrap().send(());
    }
}

#[tokio::test]
async fn an_endless_body_is_given_up_at_the_limit() {
    let (dropped, is_dropped) = oneshot::channel();
    let endless = std::sync::Arc::new(std::sync::Mutex::new(Some(Endless(Some(dropped)))));
    let server = Server::http(move |_| {
        let endless = endless.lock().unwrap().take().unwrap();
        async move { Response::new(Body::from_stream(endless, None)) }
    })
    .await;
    let answer = transport().send(get(&server.url("/"))).await.unwrap();
    assert_eq!(
        answer.into_body().collect(1 << 20).await.unwrap_err().kind(),
        TransportErrorKind::BodyTooLarge
    );
    is_dropped.await.expect("the server notices");
}

#[tokio::test]
async fn an_error_of_the_requests_own_body_is_the_error_of_the_call() {
    let server = Server::http(async |request| {
        let _ = Body::wrap(request.into_body()).collect(1 << 20).await;
        Response::new(Body::empty())
    })
    .await;
    let (sender, body) = Piped::new(1);
    sender.abort(std::io::Error::other("disk is gone"));
    let error = transport()
        .send(Request::put(server.url("/")).body(Body::wrap(body)).unwrap())
        .await
        .unwrap_err();
    assert!(chain(&error).contains("disk is gone"), "{error:?}");

    let (mut sender, body) = Piped::new(1);
    sender.send_data("abc".into()).await.unwrap();
    drop(sender);
    let short = Body::from_stream(body_stream(body), Some(5));
    let error = transport()
        .send(Request::put(server.url("/")).body(short).unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
    assert!(
        error.to_string().contains("2 bytes before its declared size"),
        "{error}"
    );
}

fn body_stream(body: Piped) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    Body::wrap(body)
}

fn pack(data: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Packs its answer if it is asked to, and says in a header what it was asked.
async fn packing_server() -> Server {
    Server::http(async |request| {
        let asked = request
            .headers()
            .get("accept-encoding")
            .map_or("nothing", |value| value.to_str().unwrap())
            .to_owned();
        let answer = Response::builder().header("x-asked", &asked);
        let forced = request.uri().path() == "/always";
        if asked == "gzip" || forced {
            answer
                .header("content-encoding", "gzip")
                .body(Body::from(pack("some text, some text")))
                .unwrap()
        } else {
            answer.body(Body::from("some text, some text")).unwrap()
        }
    })
    .await
}

#[tokio::test]
async fn packed_answers_are_unpacked_where_that_pays() {
    let server = packing_server().await;
    // A forwarding proxy stands for a distant server: the host's name is never resolved.
    let proxies = ProxyConfig::none().with_http(&server.url("")).unwrap();
    let far = HyperTransport::builder()
        .proxies(proxies.clone())
        .build()
        .unwrap();
    let answer = far.send(get("http://far.example/")).await.unwrap();
    assert_eq!(answer.headers()["x-asked"], "gzip");
    assert!(
        !answer.headers().contains_key("content-encoding")
            && !answer.headers().contains_key("content-length")
    );
    assert_eq!(answer.body().size(), None);
    assert_eq!(text(answer).await, "some text, some text");

    // Asked for nothing, so nothing is unpacked, even if it comes packed.
    let answer = far.send(
        Request::get("http://far.example/always")
            .header("range", "bytes=0-")
            .body(Body::empty())
            .unwrap(),
    );
    let answer = answer.await.unwrap();
    assert_eq!(answer.headers()["x-asked"], "nothing");
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(
        answer.into_body().collect(1000).await.unwrap(),
        pack("some text, some text")
    );

    // The caller's own wish is passed on, and the answer is the caller's to unpack.
    let own = Request::get("http://far.example/")
        .header("accept-encoding", "gzip")
        .body(Body::empty())
        .unwrap();
    let answer = far.send(own).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(
        answer.into_body().collect(1000).await.unwrap(),
        pack("some text, some text")
    );

    // Loopback, and the switch.
    let near = transport().send(get(&server.url("/"))).await.unwrap();
    assert_eq!(near.headers()["x-asked"], "nothing");
    let off = HyperTransport::builder()
        .proxies(proxies)
        .decompress(false)
        .build()
        .unwrap();
    assert_eq!(
        off.send(get("http://far.example/")).await.unwrap().headers()["x-asked"],
        "nothing"
    );

    // The head of a packed answer says what a GET would bring.
    let head = Request::head("http://far.example/").body(Body::empty()).unwrap();
    let answer = far.send(head).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(text(answer).await, "");
}

#[tokio::test]
async fn a_packed_answer_that_is_not_gzip_is_malformed() {
    let server = Server::http(async |_| {
        Response::builder()
            .header("content-encoding", "gzip")
            .body(Body::from("plain after all"))
            .unwrap()
    })
    .await;
    let proxies = ProxyConfig::none().with_http(&server.url("")).unwrap();
    let far = HyperTransport::builder().proxies(proxies).build().unwrap();
    let answer = far.send(get("http://far.example/")).await.unwrap();
    assert_eq!(
        answer.into_body().collect(1000).await.unwrap_err().kind(),
        TransportErrorKind::Decode
    );
}
