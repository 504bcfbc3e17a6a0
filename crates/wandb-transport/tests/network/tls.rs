//! TLS: whom we trust, and HTTP/2.

use http::{Request, Response, Version};
use tokio::io::AsyncWriteExt;
use wandb_transport::{Body, HyperTransport, HyperTransportBuilder, Roots, Transport, TransportErrorKind};

use crate::servers::{Identity, Server, chain, get, text};

async fn echo_server(identity: &Identity) -> Server {
    Server::https(identity, async |request| {
        Response::new(Body::wrap(request.into_body()))
    })
    .await
}

fn only(identity: &Identity) -> HyperTransportBuilder {
    HyperTransport::builder()
        .roots(Roots::None)
        .add_ca_pem(&identity.pem)
}

#[tokio::test]
async fn a_trusted_server_is_spoken_to_in_http2_if_it_can() {
    let identity = Identity::new();
    let server = echo_server(&identity).await;
    for (http2, version) in [(true, Version::HTTP_2), (false, Version::HTTP_11)] {
        let transport = only(&identity).http2(http2).build().unwrap();
        let request = Request::post(server.https_url("/"))
            .body(Body::from("over TLS"))
            .unwrap();
        let answer = transport.send(request).await.unwrap();
        assert_eq!(answer.version(), version);
        assert_eq!(text(answer).await, "over TLS");
    }
}

#[tokio::test]
async fn many_requests_share_one_http2_connection() {
    let identity = Identity::new();
    let server = echo_server(&identity).await;
    let transport = only(&identity).build().unwrap();
    // The first request makes the connection known to the pool.
    assert_eq!(
        text(transport.send(get(&server.https_url("/"))).await.unwrap()).await,
        ""
    );
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let (transport, url) = (transport.clone(), server.https_url("/"));
            tokio::spawn(async move {
                let body = format!("request {n}").repeat(1000);
                let answer = transport
                    .send(Request::post(url).body(Body::from(body.clone())).unwrap())
                    .await
                    .unwrap();
                assert!(text(answer).await == body);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_untrusted_server_is_refused() {
    let identity = Identity::new();
    let server = echo_server(&identity).await;
    let stranger = only(&Identity::new()).build().unwrap();
    let error = stranger
        .send(get(&server.https_url("/x?sig=secret")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(error.to_string().contains("https://localhost"), "{error}");
    assert!(
        chain(&error).contains("certificate") && !chain(&error).contains("secret"),
        "{}",
        chain(&error)
    );

    let nobody = HyperTransport::builder().roots(Roots::None).build().unwrap();
    let error = nobody.send(get(&server.https_url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(
        error.to_string().contains("no trusted certificates are set"),
        "{error}"
    );
}

#[tokio::test]
async fn the_dangerous_switch_accepts_a_stranger_and_can_be_seen() {
    let server = echo_server(&Identity::new()).await;
    let transport = only(&Identity::new())
        .danger_accept_invalid_certificates(true)
        .build()
        .unwrap();
    assert!(transport.accepts_invalid_certificates());
    let request = Request::post(server.https_url("/"))
        .body(Body::from("hello stranger"))
        .unwrap();
    assert_eq!(
        text(transport.send(request).await.unwrap()).await,
        "hello stranger"
    );
}

#[tokio::test]
async fn a_server_without_tls_is_a_tls_failure_and_a_silent_end_none() {
    let identity = Identity::new();
    let plain = Server::http(async |_| Response::new(Body::empty())).await;
    let error = only(&identity)
        .build()
        .unwrap()
        .send(get(&plain.https_url("/")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls, "{error:?}");

    let closing = Server::raw(async |mut stream| {
        let _ = stream.shutdown().await;
    })
    .await;
    let error = only(&identity)
        .build()
        .unwrap()
        .send(get(&closing.https_url("/")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect, "{error:?}");
    assert!(error.kind().is_unsent());
}

#[tokio::test]
async fn a_request_body_that_fails_over_http2_says_why() {
    let identity = Identity::new();
    let server = Server::https(&identity, async |request| {
        let _ = Body::wrap(request.into_body()).collect(1 << 20).await;
        Response::new(Body::empty())
    })
    .await;
    let (sender, body) = http_body_util::channel::Channel::<bytes::Bytes, std::io::Error>::new(1);
    sender.abort(std::io::Error::other("disk is gone"));
    let request = Request::put(server.https_url("/"))
        .body(Body::wrap(body))
        .unwrap();
    let error = only(&identity).build().unwrap().send(request).await.unwrap_err();
    assert!(chain(&error).contains("disk is gone"), "{error:?}");
}

#[test]
fn certificates_that_cannot_be_used_are_refused_at_once() {
    let refused = |builder: HyperTransportBuilder| builder.build().unwrap_err().to_string();
    let builder = HyperTransport::builder;
    assert!(refused(builder().add_ca_pem("")).contains("has no certificate"));
    assert!(
        refused(builder().add_ca_pem("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----"))
            .contains("PEM")
    );
    let nonsense = "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n";
    assert!(refused(builder().add_ca_pem(nonsense)).contains("cannot be used"));
    assert!(refused(builder().add_ca_file("/no/such/file.pem")).contains("/no/such/file.pem"));
}
