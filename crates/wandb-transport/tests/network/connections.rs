//! Connections that do not come about, break, stall or are used again.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::channel::Channel;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use wandb_transport::{Body, HyperTransport, Transport, TransportErrorKind};

use crate::servers::{Server, chain, get, read_head, text, transport};

/// For what has to time out.
const SHORT: Duration = Duration::from_millis(100);

/// For what may time out only in the place that a test is about, on a machine that is busy with other things.
const PATIENT: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_refused_connection_is_unsent_and_keeps_its_secrets() {
    // Bound but not listening: nobody else can get the port.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let uri = format!(
        "http://{}/path?X-Goog-Signature=secret",
        socket.local_addr().unwrap()
    );
    let error = transport().send(get(&uri)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    let shown = chain(&error);
    assert!(
        shown.contains(&socket.local_addr().unwrap().to_string()),
        "{shown}"
    );
    assert!(shown.to_lowercase().contains("refused"), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("/path"), "{shown}");
}

#[tokio::test]
async fn an_unknown_host_is_unsent() {
    let error = transport()
        .send(get("http://no-such-host.invalid/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(
        error.to_string().contains("http://no-such-host.invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_lost_before_the_head_is_an_interruption() {
    let server = Server::raw(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let error = transport()
        .send(get(&server.url("/x?sig=secret")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Interrupted);
    assert!(!chain(&error).contains("secret"), "{error:?}");
    assert_eq!(server.connections(), 1, "never retried");
}

#[tokio::test]
async fn a_reused_connection_that_takes_the_request_and_closes_is_an_interruption() {
    let server = Server::raw(|mut stream| async move {
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .await
            .unwrap();
        read_head(&mut stream).await;
    })
    .await;
    let transport = transport();
    // Whether the pool has the connection back in time is hyper's affair; some pair of requests will share one.
    for _ in 0..100 {
        let before = server.connections();
        match transport.send(get(&server.url("/"))).await {
            Ok(answer) => assert_eq!(text(answer).await, "ok"),
            Err(error) => {
                assert_eq!(error.kind(), TransportErrorKind::Interrupted, "{error:?}");
                assert_eq!(
                    server.connections(),
                    before,
                    "it was a reused connection, and there was no second try"
                );
                return;
            }
        }
    }
    panic!("no connection was ever used again");
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_malformed() {
    let server = Server::raw(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    })
    .await;
    let error = transport().send(get(&server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Decode);
}

#[tokio::test]
async fn keep_alive_connections_are_used_again() {
    let server = Server::http(async |_| Response::new(Body::from("ok"))).await;
    let transport = transport();
    for _ in 0..20 {
        assert_eq!(
            text(transport.send(get(&server.url("/"))).await.unwrap()).await,
            "ok"
        );
        tokio::task::yield_now().await;
    }
    assert!(
        server.connections() < 20,
        "{} connections for 20 requests",
        server.connections()
    );

    let lonely = HyperTransport::builder()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    let before = server.connections();
    for _ in 0..5 {
        assert_eq!(
            text(lonely.send(get(&server.url("/"))).await.unwrap()).await,
            "ok"
        );
    }
    assert_eq!(server.connections() - before, 5);
}

#[tokio::test]
async fn a_head_that_does_not_come_times_out() {
    let server = Server::raw(|mut stream| async move {
        read_head(&mut stream).await;
        // Holds the connection until the client gives up.
        let _ = stream.read_u8().await;
    })
    .await;
    let transport = HyperTransport::builder().idle_timeout(SHORT).build().unwrap();
    let error = transport
        .send(get(&server.url("/x?sig=secret")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
    assert!(
        error.to_string().contains("100ms") && !chain(&error).contains("secret"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_that_stops_times_out_after_what_it_gave() {
    let server = Server::raw(|mut stream| async move {
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            .await
            .unwrap();
        let _ = stream.read_u8().await;
    })
    .await;
    let transport = HyperTransport::builder().idle_timeout(PATIENT).build().unwrap();
    let answer = transport.send(get(&server.url("/"))).await.unwrap();
    assert_eq!(answer.body().size(), Some(10));
    let error = answer.into_body().collect(100).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
}

#[tokio::test]
async fn a_source_that_takes_its_time_is_no_timeout() {
    // The answer comes only after the whole request, so that nothing but the source is slow.
    let server = Server::http(async |request| {
        let body = Body::wrap(request.into_body()).collect(10).await.unwrap();
        Response::new(Body::from(body))
    })
    .await;
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
    tokio::spawn(async move {
        sender.send_data("a".into()).await.unwrap();
        tokio::time::sleep(PATIENT * 2).await;
        sender.send_data("b".into()).await.unwrap();
    });
    let transport = HyperTransport::builder().idle_timeout(PATIENT).build().unwrap();
    let request = Request::post(server.url("/")).body(Body::wrap(body)).unwrap();
    assert_eq!(text(transport.send(request).await.unwrap()).await, "ab");
}

#[tokio::test]
async fn the_connect_timeout_is_a_failure_to_connect() {
    // A TLS server that never says anything.
    let server = Server::raw(|mut stream| async move {
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    })
    .await;
    let transport = HyperTransport::builder()
        .connect_timeout(SHORT)
        .danger_accept_invalid_certificates(true)
        .build()
        .unwrap();
    let error = transport.send(get(&server.https_url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(error.to_string().contains("within 100ms"), "{error}");
}

#[tokio::test]
async fn dropping_the_call_or_the_body_closes_the_connection() {
    let (closed, mut closings) = mpsc::unbounded_channel();
    let server = Server::raw(move |mut stream| {
        let closed = closed.clone();
        async move {
            if read_head(&mut stream).await.starts_with("GET /body") {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                    .await
                    .unwrap();
            }
            let end = stream.read_u8().await.map_err(|error| error.kind());
            closed.send(end).unwrap();
        }
    })
    .await;
    let transport = transport();

    let call = transport.send(get(&server.url("/head")));
    let outcome = tokio::time::timeout(SHORT, call).await;
    assert!(outcome.is_err(), "there is no answer");
    assert!(closings.recv().await.unwrap().is_err());

    drop(transport.send(get(&server.url("/body"))).await.unwrap());
    assert!(closings.recv().await.unwrap().is_err());
}
