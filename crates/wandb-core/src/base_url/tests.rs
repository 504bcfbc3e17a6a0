//! The official client's verdicts as a table, joining, and the credential decision.

use proptest::prelude::*;

use super::*;
use crate::path::{PathContext, ReportPath, RunPath, SweepPath};

/// What `HostUrl` of wandb 0.31.0 makes of the same texts: (text, url, app url).
const OFFICIAL: &[(&str, &str, &str)] = &[
    (
        "https://api.wandb.ai",
        "https://api.wandb.ai",
        "https://forge.coreweave.com/wandb",
    ),
    (
        "https://api.wandb.ai/",
        "https://api.wandb.ai",
        "https://forge.coreweave.com/wandb",
    ),
    (
        "https://api.wandb.ai/prefix",
        "https://api.wandb.ai/prefix",
        "https://forge.coreweave.com/wandb",
    ),
    (
        "https://api.qa.wandb.ai",
        "https://api.qa.wandb.ai",
        "https://qa.forge.coreweave.com/wandb",
    ),
    (
        "https://api.wandb.ai.evil.com",
        "https://api.wandb.ai.evil.com",
        "https://wandb.ai.evil.com",
    ),
    (
        "https://api.forge.coreweave.com",
        "https://api.forge.coreweave.com",
        "https://forge.coreweave.com/wandb",
    ),
    (
        "https://forge.coreweave.com/api/wandb/",
        "https://api.forge.coreweave.com",
        "https://forge.coreweave.com/wandb",
    ),
    (
        "https://qa.forge.coreweave.com/api/wandb",
        "https://api.qa.forge.coreweave.com",
        "https://qa.forge.coreweave.com/wandb",
    ),
    (
        "http://localhost:8080//",
        "http://localhost:8080",
        "http://localhost:8080",
    ),
    (
        "https://api.example.com",
        "https://api.example.com",
        "https://app.example.com",
    ),
    (
        "https://api.wandb.test",
        "https://api.wandb.test",
        "https://app.wandb.test",
    ),
    ("https://x.com/api.", "https://x.com/api.", "https://x.com/api."),
];

#[test]
fn addresses_are_read_as_the_official_client_reads_them() {
    for (text, url, app_url) in OFFICIAL {
        let base_url = BaseUrl::parse(text).unwrap();
        assert_eq!(base_url.as_str(), *url, "{text}");
        assert_eq!(base_url.app_url().as_str(), *app_url, "{text}");
    }
}

#[test]
fn what_the_official_client_refuses_is_refused() {
    for text in [
        "",
        "localhost:8080",
        "ftp://x",
        "https://wandb.ai",
        "http://api.wandb.ai",
        "https://app.wandb.ai",
        "https://x.wandb.ai",
        "https://forge.coreweave.com",
        "http://forge.coreweave.com/api/wandb",
        "https://forge.coreweave.com:8443/api/wandb",
        "not a url",
        "https://",
        "http://[::1",
    ] {
        let error = BaseUrl::parse(text).unwrap_err();
        assert!(!error.hints().is_empty(), "{text} {error}");
    }
    let hints = |text: &str| BaseUrl::parse(text).unwrap_err().hints();
    assert_eq!(hints("https://wandb.ai"), ["did you mean https://api.wandb.ai?"]);
    assert_eq!(
        hints("http://api.wandb.ai"),
        ["did you mean https://api.wandb.ai?"]
    );
    assert_eq!(
        hints("https://forge.coreweave.com"),
        ["did you mean https://api.forge.coreweave.com?"]
    );
}

/// Differences on purpose, each named in the module's documentation.
#[test]
fn differences_from_the_official_client() {
    assert_eq!(BaseUrl::default().as_str(), "https://api.wandb.ai");
    assert_eq!(
        BaseUrl::parse("https://notwandb.ai/").unwrap().as_str(),
        "https://notwandb.ai"
    );
    assert_eq!(
        BaseUrl::parse("https://foo.com/wandb.ai").unwrap().as_str(),
        "https://foo.com/wandb.ai"
    );
    assert_eq!(
        BaseUrl::parse(" https://X.com:443/A/ ").unwrap().as_str(),
        "https://x.com/A"
    );
    assert!(BaseUrl::parse("https://WANDB.AI").is_err());
    assert!(BaseUrl::parse("https://wandb.ai/api.").is_err());
    assert!(BaseUrl::parse("http://api.forge.coreweave.com").is_err());
    for text in [
        "https://user:hunter2@x.com",
        "https://x.com?key=hunter2",
        "https://x.com#hunter2",
    ] {
        let error = BaseUrl::parse(text).unwrap_err();
        assert!(matches!(error, BaseUrlError::UnexpectedPart { .. }));
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn endpoints_are_joined_after_the_prefix() {
    let base_url = BaseUrl::parse("http://localhost:8080/wandb/").unwrap();
    assert_eq!(base_url.graphql_url(), "http://localhost:8080/wandb/graphql");
    let run = RunPath::parse("my team/a+b/ü:1", &PathContext::new()).unwrap();
    assert_eq!(
        base_url.file_stream_url(&run),
        "http://localhost:8080/wandb/files/my%20team/a%2Bb/%C3%BC%3A1/file_stream"
    );
    assert_eq!(
        base_url.oidc_token_url(),
        "http://localhost:8080/wandb/oidc/token"
    );
    assert_eq!(
        base_url.resolve("/dl/x?y=z").unwrap().expose(),
        "http://localhost:8080/wandb/dl/x?y=z"
    );
    assert_eq!(
        base_url.resolve("https://s3/x?sig=1").unwrap().expose(),
        "https://s3/x?sig=1"
    );
    for url in [
        "",
        "x",
        "//evil/x",
        "/\\evil/x",
        "file:///etc/passwd",
        "ftp://x/y",
        "https://",
    ] {
        assert!(base_url.resolve(url).is_err(), "{url}");
    }
}

#[test]
fn pages_are_percent_encoded() {
    let app = AppUrl::parse("https://wandb.example.com/").unwrap();
    let context = PathContext::new();
    let run = RunPath::parse("my team/a+b/é:1", &context).unwrap();
    assert_eq!(
        app.run_url(&run),
        "https://wandb.example.com/my%20team/a%2Bb/runs/%C3%A9%3A1"
    );
    assert_eq!(
        app.project_url(run.project_path()),
        "https://wandb.example.com/my%20team/a%2Bb/workspace"
    );
    let sweep = SweepPath::parse("e/p/sweeps/s", &context).unwrap();
    assert_eq!(app.sweep_url(&sweep), "https://wandb.example.com/e/p/sweeps/s");
    let report = ReportPath::new(sweep.project_path().clone(), "My 1st report!", "Vmlldzox==").unwrap();
    assert_eq!(
        app.report_url(&report),
        "https://wandb.example.com/e/p/reports/My-1st-report--Vmlldzox"
    );
    assert!(AppUrl::parse("wandb.ai").is_err());
}

#[test]
fn names_of_one_service() {
    let read = |text: &str| BaseUrl::parse(text).unwrap();
    let wandb = read("https://api.wandb.ai");
    let forge = read("https://api.forge.coreweave.com");
    assert!(wandb.is_same_service(&forge) && forge.is_same_service(&wandb));
    assert!(!wandb.is_same_service(&read("https://api.qa.wandb.ai")));
    assert!(!wandb.is_same_service(&read("https://api.wandb.ai/x")));
    assert!(
        wandb.is_public_service()
            && forge.is_public_service()
            && !read("http://localhost").is_public_service()
    );
    assert_eq!(wandb.netrc_machine(), "api.wandb.ai");
    assert_eq!(
        wandb.netrc_aliases(),
        ["api.wandb.ai:443", "api.forge.coreweave.com"]
    );
    assert_eq!(
        forge.netrc_aliases(),
        ["api.forge.coreweave.com:443", "api.wandb.ai"]
    );
    assert_eq!(read("http://[::1]:8080").netrc_machine(), "[::1]:8080");
    assert!(read("http://[::1]:8080").is_loopback() && read("http://127.0.0.2").is_loopback());
    assert!(!read("http://localhost.example.com").is_loopback());
}

#[test]
fn credentials_go_to_the_same_origin_and_under_the_path_only() {
    let base_url = BaseUrl::parse("https://api.example.com/api").unwrap();
    for url in [
        "https://api.example.com/api",
        "https://api.example.com/api/",
        "https://api.example.com/api/graphql",
        "https://API.example.com:443/api/files/a%2Fb?x=y",
        "https://api.example.com/other/../api/x",
    ] {
        assert!(base_url.is_same_origin_and_under(url), "{url}");
    }
    for url in [
        "",
        "/api/graphql",
        "http://api.example.com/api",
        "https://api.example.com:8443/api",
        "https://api.example.com.evil.com/api",
        "https://evil.com/api",
        "https://evil.com\\@api.example.com/api",
        "https://user@api.example.com/api",
        "https://api.example.com@evil.com/api",
        "https://api.example.com/apis",
        "https://api.example.com/API",
        "https://api.example.com/",
        "https://api.example.com/api/../other",
        "https://api.example.com/api/%2e%2e/other",
        "https://api.example.com/api/..%2fother",
        "https://api.example.com/api/%2E%2E%5Cother",
        "wss://api.example.com/api",
    ] {
        assert!(!base_url.is_same_origin_and_under(url), "{url}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_is_read_back(
        scheme in "https?", host in "[a-zA-Z]([a-zA-Z0-9-]{0,6}[a-z])?(\\.[a-z]{2,4}){0,2}", port in prop::option::of(1u16..),
        path in "(/[a-zA-Z0-9%_-]{0,5}){0,3}", run in "[a-z%.]{1,5}x",
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        if let Ok(base_url) = BaseUrl::parse(&format!("{scheme}://{host}{port}{path}")) {
            let again = BaseUrl::parse(base_url.as_str()).unwrap();
            prop_assert_eq!(&again, &base_url);
            prop_assert!(!base_url.as_str().ends_with('/'));
            prop_assert!(base_url.is_same_origin_and_under(&base_url.graphql_url()));
            let run = RunPath::parse(&format!("{run}/..x/%2e%2e"), &PathContext::new()).unwrap();
            prop_assert!(base_url.is_same_origin_and_under(&base_url.file_stream_url(&run)));
            prop_assert!(base_url.is_same_service(&again));
            prop_assert_eq!(AppUrl::parse(base_url.app_url().as_str()).unwrap(), base_url.app_url());
        }
    }

    #[test]
    fn any_text_is_answered_without_panic(text in any::<String>(), like in "https?://[a-z@:/.?#%\\[\\]0-9-]{0,30}") {
        let base_url = BaseUrl::parse("https://api.example.com/p").unwrap();
        for text in [text, like] {
            let _ = BaseUrl::parse(&text).map(|base_url| base_url.app_url());
            let _ = AppUrl::parse(&text);
            let _ = base_url.resolve(&text);
            prop_assert!(!base_url.is_same_origin_and_under(&text) || text.contains("api.example.com"));
        }
    }
}
