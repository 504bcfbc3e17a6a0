//! Proxies: forwarding plain requests, tunnels for the others, credentials.

use http::Response;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use wandb_transport::{Body, HyperTransport, ProxyConfig, Transport, TransportErrorKind};

use crate::servers::{Identity, Server, chain, get, read_head, text};

/// `user:pa ss` in the form of the header.
const AUTHORIZATION: &str = "Basic dXNlcjpwYSBzcw==";

/// A tunnel to `target`, whatever was asked for, for whom has the credentials. Reports the heads it got.
async fn tunnel<S>(mut client: S, target: std::net::SocketAddr, heads: mpsc::UnboundedSender<String>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = read_head(&mut client).await;
    let allowed = head.contains(&format!("Proxy-Authorization: {AUTHORIZATION}\r\n"));
    heads.send(head).unwrap();
    if !allowed {
        let _ = client
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            .await;
        return;
    }
    let mut server = TcpStream::connect(target).await.unwrap();
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await
        .unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

#[tokio::test]
async fn plain_requests_go_to_the_proxy_in_absolute_form_with_its_credentials() {
    let proxy = Server::http(async |request| {
        let header = |name| {
            request
                .headers()
                .get(name)
                .map_or("none", |value| value.to_str().unwrap())
                .to_owned()
        };
        let seen = format!(
            "{} {} {}",
            request.uri(),
            header("host"),
            header("proxy-authorization")
        );
        Response::new(Body::from(seen))
    })
    .await;
    let url = format!("http://user:pa%20ss@{}", proxy.address);
    let transport = HyperTransport::builder()
        .proxies(
            ProxyConfig::none()
                .with_http(&url)
                .unwrap()
                .with_exceptions("direct.invalid"),
        )
        .build()
        .unwrap();
    let answer = transport
        .send(get("http://far.example:8080/a?b=c"))
        .await
        .unwrap();
    assert_eq!(
        text(answer).await,
        format!("http://far.example:8080/a?b=c far.example:8080 {AUTHORIZATION}")
    );

    // Loopback is reached directly, here the same server, and it gets no credentials of the proxy.
    let answer = transport.send(get(&proxy.url("/near"))).await.unwrap();
    assert_eq!(text(answer).await, format!("/near {} none", proxy.address));

    let error = transport.send(get("http://direct.invalid/")).await.unwrap_err();
    assert_eq!(
        error.kind(),
        TransportErrorKind::Connect,
        "an exception is not proxied"
    );
    assert!(!format!("{transport:?}").contains("pa"), "{transport:?}");
}

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    let identity = Identity::new();
    let server = Server::https(&identity, async |request| {
        let leaked = request.headers().contains_key("proxy-authorization");
        Response::new(Body::from(format!("{} leaked: {leaked}", request.uri().path())))
    })
    .await;
    let (heads, mut seen) = mpsc::unbounded_channel();
    let target = server.address;
    let proxy = Server::raw(move |stream| tunnel(stream, target, heads.clone())).await;

    let url = format!("http://user:pa%20ss@{}", proxy.address);
    let transport = HyperTransport::builder()
        .proxies(ProxyConfig::none().with_https(&url).unwrap())
        .add_ca_pem(&identity.pem)
        .build()
        .unwrap();
    let answer = transport.send(get("https://secure.example/path")).await.unwrap();
    assert_eq!(text(answer).await, "/path leaked: false");
    let head = seen.recv().await.unwrap();
    assert!(
        head.starts_with("CONNECT secure.example:443 HTTP/1.1\r\nHost: secure.example:443\r\n"),
        "{head}"
    );

    // The tunnel ends at the same server, which has no certificate for this name.
    let error = transport.send(get("https://other.example/")).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(chain(&error).contains("not valid for name"), "{}", chain(&error));

    let wrong = format!("http://user:secret@{}", proxy.address);
    let transport = HyperTransport::builder()
        .proxies(ProxyConfig::none().with_https(&wrong).unwrap())
        .add_ca_pem(&identity.pem)
        .build()
        .unwrap();
    let error = transport
        .send(get("https://secure.example/path?sig=secret"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(
        error
            .to_string()
            .contains("does not accept the credentials (407)"),
        "{error}"
    );
    assert!(
        !chain(&error).contains("secret@") && !chain(&error).contains("sig="),
        "{error:?}"
    );
    assert_eq!(server.connections(), 2, "nothing went past the proxy");
}

#[tokio::test]
async fn the_proxy_itself_may_speak_tls() {
    let identity = Identity::new();
    let server = Server::https(&identity, async |_| {
        Response::new(Body::from("through two layers"))
    })
    .await;
    let (heads, _seen) = mpsc::unbounded_channel();
    let (target, acceptor) = (server.address, identity.acceptor(&[b"http/1.1"]));
    let proxy = Server::raw(move |stream| {
        let (acceptor, heads) = (acceptor.clone(), heads.clone());
        async move { tunnel(acceptor.accept(stream).await.unwrap(), target, heads).await }
    })
    .await;
    let url = format!("https://user:pa%20ss@localhost:{}", proxy.address.port());
    let transport = HyperTransport::builder()
        .proxies(ProxyConfig::none().with_https(&url).unwrap())
        .add_ca_pem(&identity.pem)
        .build()
        .unwrap();
    let answer = transport.send(get("https://secure.example/")).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(text(answer).await, "through two layers");
}
