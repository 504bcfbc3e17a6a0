//! The key goes to its own server and nowhere else, and neither it nor a signature is ever shown.

use base64::Engine as _;
use tempfile::TempDir;
use wandb_api::transport::{ScriptedResponse, ScriptedTransport};
use wandb_api::{ErrorKind, File, FileDownloadOptions};
use wandb_tests::{KEY, NewRun, TestServer, scripted_api};

use crate::downloads::{file_node, md5, scripted_file};

const SIGNATURE: &str = "c2lnbmF0dXJl";

/// Panics if a text shows the key, in whatever form, or a signature.
fn assert_silent(text: &str) {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("api:{KEY}"));
    for secret in [KEY, basic.as_str(), SIGNATURE] {
        assert!(!text.contains(secret), "{text}");
    }
}

async fn download(script: &ScriptedTransport, url: &str) -> wandb_api::Result<()> {
    let file = scripted_file(script, file_node("f", url, 5, Some(&md5(b"hello")))).await;
    assert_silent(&format!("{file:?} {:?} {:?}", file.data(), file.url));
    let dir = TempDir::new().unwrap();
    file.download(&FileDownloadOptions::below(dir.path()))
        .await
        .map(|_| ())
}

fn hello() -> ScriptedResponse {
    ScriptedResponse::new(200).bytes("hello")
}

#[tokio::test]
async fn the_key_stays_with_its_server() {
    // (address of the file, whether the key goes along)
    for (url, with_key) in [
        ("https://api.example/files/f", true),
        ("/files/f", true),
        ("https://storage.example/f?X-Sig=c2lnbmF0dXJl", false),
        ("https://api.example:8443/files/f", false),
        ("http://api.example/files/f", false),
        ("https://api.example.evil.example/files/f", false),
        ("https://sub.api.example/files/f", false),
    ] {
        let script = ScriptedTransport::unordered();
        let step = script.expect().method(http::Method::GET);
        let step = if with_key {
            step.header_present("authorization")
        } else {
            step.header_absent("authorization")
        };
        step.respond(hello());
        download(&script, url)
            .await
            .unwrap_or_else(|error| panic!("{url}: {error:?}"));
        script.finish();
    }
}

#[tokio::test]
async fn a_redirect_takes_no_key_along() {
    let script = ScriptedTransport::unordered();
    script
        .get("https://api.example/files/f")
        .header_present("authorization")
        .respond(ScriptedResponse::new(302).header("location", "https://storage.example/o?sig=c2lnbmF0dXJl"));
    script
        .get("https://storage.example/o?sig=c2lnbmF0dXJl")
        .header_absent("authorization")
        .respond(ScriptedResponse::new(307).header("location", "https://mirror.example/o?sig=c2lnbmF0dXJl"));
    script
        .get("https://mirror.example/o?sig=c2lnbmF0dXJl")
        .header_absent("authorization")
        .respond(hello());
    download(&script, "https://api.example/files/f").await.unwrap();
    script.finish();

    for location in ["file:///etc/passwd", "ftp://x.example/f", "http://", ""] {
        let script = ScriptedTransport::unordered();
        script
            .get("https://api.example/files/f")
            .any_number_of_times()
            .respond(ScriptedResponse::new(302).header("location", location));
        let error = download(&script, "https://api.example/files/f")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{location:?}: {error:?}");
        script.finish();
    }
}

#[tokio::test]
async fn errors_show_no_secret() {
    let url = "https://storage.example/o?X-Amz-Signature=c2lnbmF0dXJl";
    for answer in [
        ScriptedResponse::new(403).bytes("<Error>AccessDenied</Error>"),
        ScriptedResponse::new(500),
        ScriptedResponse::new(302).header("location", url),
        ScriptedResponse::new(302).header("location", "ftp://storage.example/o?sig=c2lnbmF0dXJl"),
        ScriptedResponse::new(200).bytes("other"),
    ] {
        let script = ScriptedTransport::unordered();
        script
            .expect()
            .method(http::Method::GET)
            .any_number_of_times()
            .respond(answer);
        script
            .graphql("RunFiles")
            .any_number_of_times()
            .respond_status(404);
        let error = download(&script, url).await.unwrap_err();
        let mut told = format!(
            "{error} {error:?} {:?} {:?}",
            error.hints(),
            error.server_message()
        );
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            told.push_str(&format!(" {cause} {cause:?}"));
            source = cause.source();
        }
        assert_silent(&told);
        let _ = script.verify();
    }
}

#[tokio::test]
async fn handles_show_no_secret() {
    let script = ScriptedTransport::ordered();
    let (api, _) = scripted_api(&script);
    assert_silent(&format!("{api:?} {:#?} {:?}", api, api.runs("e/p")));
    assert_silent(&format!("{:?}", api.base_url()));
    let server = TestServer::open();
    let writer = server.log("p", NewRun::named("r")).await;
    writer.upload("f", "hello").await;
    let run = server.api().run("p/r").await.unwrap();
    let file: File = run.file("f").await.unwrap();
    assert_silent(&format!("{run:?} {:?} {:?}", run.data(), run.files()));
    // The embedded server's addresses are signed in the path.
    let token = file.url.expose().rsplit('/').next().unwrap().to_owned();
    assert!(token.len() > 20);
    let shown = format!("{file:?} {:?} {}", file.url, file.url);
    assert!(!shown.contains(&token), "{shown}");
    server.faults().add("500,path=/dl/".parse().unwrap());
    let dir = TempDir::new().unwrap();
    let error = file
        .download(&FileDownloadOptions::below(dir.path()))
        .await
        .unwrap_err();
    assert!(!format!("{error:?} {error}").contains(&token), "{error:?}");
}
