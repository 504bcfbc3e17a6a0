//! What is sent, and that every answer is an answer.

use http::{Request, Response};
use wandb_transport::{Body, HyperTransport, Transport, TransportErrorKind};

use crate::servers::{Server, get, text, transport};

/// Answers with the request's line and headers as text.
async fn mirror(request: Request<hyper::body::Incoming>) -> Response<Body> {
    let mut seen = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        seen.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    Response::new(Body::from(seen))
}

#[tokio::test]
async fn nothing_is_added_but_the_host() {
    let server = Server::http(mirror).await;
    let seen = text(transport().send(get(&server.url("/a?b=c"))).await.unwrap()).await;
    assert_eq!(seen, format!("GET /a?b=c\nhost: {}\n", server.address));
}

#[tokio::test]
async fn a_body_in_memory_goes_out_with_its_length() {
    let server = Server::http(mirror).await;
    let request = Request::post(server.url("/"))
        .header("authorization", "Basic eA==")
        .body(Body::from("12345"));
    let seen = text(transport().send(request.unwrap()).await.unwrap()).await;
    assert!(
        seen.contains("content-length: 5\n") && seen.contains("authorization: Basic eA==\n"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_redirect_is_given_back() {
    let server = Server::http(async |_| {
        let answer = Response::builder().status(302).header("location", "/elsewhere");
        answer.body(Body::from("moved")).unwrap()
    })
    .await;
    let answer = transport().send(get(&server.url("/"))).await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], "/elsewhere");
    assert_eq!(text(answer).await, "moved");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let server = Server::http(async |request| {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        Response::builder().status(status).body(Body::empty()).unwrap()
    })
    .await;
    let transport = transport();
    for status in [204, 304, 401, 403, 404, 429, 500, 503, 599] {
        let answer = transport
            .send(get(&server.url(&format!("/{status}"))))
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_a_connection() {
    let server = Server::http(mirror).await;
    let with_credentials = format!("http://user:secret@{}/", server.address);
    for uri in ["/relative", "ftp://files.example/x", &with_credentials] {
        let error = transport().send(get(uri)).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::InvalidRequest, "{uri}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn works_as_a_trait_object_and_over_several_runtimes() {
    let shared: std::sync::Arc<dyn Transport> = std::sync::Arc::new(transport());
    // The second runtime finds connections in the pool whose own runtime is gone.
    for _ in 0..2 {
        let shared = std::sync::Arc::clone(&shared);
        let work = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let server = Server::http(mirror).await;
                let seen = text(shared.send(get(&server.url("/x"))).await.unwrap()).await;
                assert!(seen.starts_with("GET /x\n"), "{seen}");
            });
        });
        work.join().unwrap();
    }
}

#[tokio::test]
async fn one_server_answers_from_two_runtimes() {
    let server = Server::http(mirror).await;
    let shared = transport();
    for _ in 0..2 {
        let (shared, url) = (shared.clone(), server.url("/x"));
        let work = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async { text(shared.send(get(&url)).await.unwrap()).await })
        });
        assert!(work.await.unwrap().starts_with("GET /x\n"));
    }
}

#[test]
fn building_and_cloning_need_no_runtime() {
    fn check<T: Send + Sync + Clone + 'static>(_: &T) {}
    let transport = HyperTransport::builder().build().unwrap();
    check(&transport);
    assert!(!transport.accepts_invalid_certificates());
}
