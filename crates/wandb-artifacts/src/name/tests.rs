//! Names in all their forms.

use proptest::prelude::*;
use wandb_core::{
    base_url::{BaseUrl, encode_segment},
    path::{EntityName, PathContext, ProjectName},
};

use super::*;

fn parse(text: &str) -> ArtifactName {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_form_of_a_name_is_read() {
    let context = PathContext::new()
        .with_entity(EntityName::new("E").unwrap())
        .with_project(ProjectName::new("P").unwrap());
    for (text, whole) in [
        ("art", "E/P/art:latest"),
        ("p/art:v2", "E/p/art:v2"),
        ("e/p/art:best/one", "e/p/art:best/one"),
        ("e/p/art:a:b", "e/p/art:a:b"),
        ("e/p/art:v02", "e/p/art:v02"),
        ("art:latest", "E/P/art:latest"),
    ] {
        let name = parse(text);
        assert_eq!(name.to_string(), text);
        assert_eq!(name.resolve(&context).unwrap().to_string(), whole);
    }
    assert_eq!(parse("a:v12").selector(), &Selector::Version(Version(12)));
    assert_eq!(parse("a").selector(), &Selector::Unspecified);
    assert!(matches!(parse("a:v02").selector(), Selector::Alias(_)));
    let without = PathContext::new().with_entity(EntityName::new("E").unwrap());
    assert_eq!(
        parse("art").resolve(&without).unwrap().to_string(),
        "E/uncategorized/art:latest"
    );
    let error = parse("p/art").resolve(&PathContext::new()).unwrap_err();
    assert_eq!(error.problem(), &ArtifactNameProblem::MissingEntity);
    assert!(error.hints().iter().any(|hint| hint.contains("--entity")));
}

#[test]
fn web_addresses_are_read() {
    let context = PathContext::new();
    for (text, name) in [
        ("https://wandb.ai/e/p/artifacts/model/net/v3", "e/p/net:v3"),
        ("https://wandb.ai/e/p/artifacts/model/net", "e/p/net:latest"),
        (
            "https://wandb.ai/e/my%20p/artifacts/a%2Fb/net/best/files?x=1#y",
            "e/my p/net:best",
        ),
        ("  HTTPS://WANDB.AI/e/p/artifacts/model/net/v3/ ", "e/p/net:v3"),
        // Whatever is called as the word between.
        (
            "https://wandb.ai/artifacts/p/artifacts/model/net/v3",
            "artifacts/p/net:v3",
        ),
        (
            "https://wandb.ai/e/artifacts/artifacts/model/artifacts/v3",
            "e/artifacts/artifacts:v3",
        ),
        (
            "https://wandb.ai/e/p/artifacts/model/net/best%2Fone",
            "e/p/net:best/one",
        ),
    ] {
        assert_eq!(ArtifactPath::parse(text, &context).unwrap().to_string(), name);
    }
    let own = BaseUrl::parse("http://localhost:8080/prefix").unwrap();
    let own = context.clone().with_server(own.clone(), own.app_url());
    let page = "http://localhost:8080/prefix/e/p/artifacts/model/net/v3";
    assert_eq!(ArtifactPath::parse(page, &own).unwrap().to_string(), "e/p/net:v3");
    for (text, context) in [
        (page, &context),
        ("https://wandb.ai/e/p/artifacts/model/net/v3", &own),
        ("http://localhost:8081/prefix/e/p/artifacts/model/net/v3", &own),
    ] {
        let error = ArtifactName::parse(text, context).expect_err(text);
        assert!(
            error.to_string().contains("is not the configured server"),
            "{error}"
        );
        assert!(error.hints()[0].contains("--base-url"), "{:?}", error.hints());
    }
    for text in [
        "https://wandb.ai/e/p",
        "https://wandb.ai/e/p/artifacts/model",
        "https://wandb.ai/e/artifacts/model/net/v3",
        "https://wandb.ai/e/p/runs/artifacts/files/net",
        "https://wandb.ai/e/p/artifacts/model/%FF/v3",
        "https://user:secret@other.example/e/p/artifacts/model/net/v3",
        "https://wandb.ai/e/p/artifacts/model/a%3Ab/v3",
    ] {
        let error = ArtifactPath::parse(text, &context).expect_err(text);
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!error.hints().is_empty());
    }
}

#[test]
fn digests_and_registries_are_seen() {
    let digest = "64e7c61456b10382e2f3b571ac24b659";
    assert_eq!(
        parse(&format!("e/p/{digest}")).as_digest().unwrap().to_string(),
        digest
    );
    let name = parse(&format!("e/p/art:{digest}"));
    assert_eq!(name.as_digest(), None);
    assert_eq!(name.selector().as_digest().unwrap().to_string(), digest);
    assert!(parse("org/wandb-registry-model/c:v1").is_registry());
    assert!(!parse("org/wandb-registry-/c:v1").is_registry());
    assert!(!parse("org/p/c").is_registry());
}

#[test]
fn wrong_names_are_refused_with_advice() {
    for text in [
        "",
        "  ",
        "a/b/c/d",
        "a/b/c/d/e/f",
        "e//art",
        "/p/art",
        "e/p/",
        "art:",
        "e/p/art\n",
        "https://wandb.ai/e/p",
    ] {
        let error = text.parse::<ArtifactName>().expect_err(text);
        assert!(!error.hints().is_empty(), "{error}");
    }
    let error = "e/p/sub/art".parse::<ArtifactName>().unwrap_err();
    assert_eq!(error.problem(), &ArtifactNameProblem::TooManyParts(4));
    let error = "art:".parse::<ArtifactName>().unwrap_err();
    assert_eq!(error.hints(), ["write \"art\" or \"art:latest\""]);
    let error = "https://user:secret@host/x".parse::<ArtifactName>().unwrap_err();
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn new_collections_follow_the_official_rules() {
    let check = |text: &str| CollectionName::new(text).unwrap().check_new();
    for good in ["a", "A-b_c.9", &"x".repeat(128), "..."] {
        check(good).unwrap();
    }
    for (bad, suggestion) in [
        ("my model", Some("my_model")),
        ("modèle", Some("mod_le")),
        ("a+b", Some("a_b")),
        ("..", None),
    ] {
        assert_eq!(check(bad).unwrap_err().suggestion(), suggestion);
    }
    let error = check(&"x".repeat(129)).unwrap_err();
    assert_eq!(error.problem(), &PartProblem::TooLong(128));
    assert_eq!(error.suggestion().unwrap().len(), 128);
    assert!(CollectionName::new("a/b").is_err() && CollectionName::new("a:b").is_err());
    assert!(CollectionName::new("").is_err());
}

#[test]
fn folders_of_downloads_stay_where_they_are_put() {
    let folder = |text: &str| CollectionName::new(text).unwrap().directory_name(Version(3));
    assert_eq!(folder("model").unwrap().replace(':', "-"), "model-v3");
    assert_eq!(folder(".."), None);
    assert_eq!(folder("nul").is_some(), !cfg!(windows));
    assert_eq!(folder(&"x".repeat(254)), None);
}

#[test]
fn new_types_aliases_and_tags_follow_the_official_rules() {
    let of_type = |text: &str, collection: &str| {
        let collection = CollectionName::new(collection).unwrap();
        TypeName::new(text).unwrap().check_new(&collection)
    };
    for (text, collection) in [
        ("model", "m"),
        ("run_table", "x"),
        ("code", "x"),
        ("ünïcode", "x"),
    ] {
        of_type(text, collection).unwrap();
    }
    for (text, collection) in [
        ("a/b", "m"),
        ("a:b", "m"),
        (" a", "m"),
        ("wandb-history", "m"),
        ("job", "m"),
        ("run_table", "run-1"),
        ("code", "source-x"),
        (&"x".repeat(129), "m"),
    ] {
        assert!(of_type(text, collection).is_err(), "{text}");
    }
    let alias = |text: &str| Alias::new(text).unwrap().check_new();
    for good in ["latest", "best model", "v1.0", "v", "prod-é"] {
        alias(good).unwrap();
    }
    for bad in ["v3", "v03", "a/b", "a:b", " a"] {
        assert!(alias(bad).is_err(), "{bad}");
    }
    assert_eq!(alias("a/b").unwrap_err().suggestion(), Some("a-b"));
    let tag = |text: &str| Tag::new(text).unwrap().check_new();
    for good in ["a", "a-b_c", "two  words", "élan 3"] {
        tag(good).unwrap();
    }
    for bad in ["a,b", " a", "a ", "a.b", " "] {
        assert!(tag(bad).is_err(), "{bad}");
    }
    assert_eq!(tag("a, b").unwrap_err().suggestion(), Some("a b"));
    assert!(Tag::new("a\n").is_err(), "the official client takes it");
}

#[test]
fn versions_have_one_form() {
    for (text, number) in [("v0", 0), ("v17", 17), ("v18446744073709551615", u64::MAX)] {
        assert_eq!(text.parse(), Ok(Version(number)));
        assert_eq!(Version(number).to_string(), text);
    }
    for bad in [
        "",
        "v",
        "3",
        "v-1",
        "v+1",
        "v01",
        "V1",
        "v18446744073709551616",
        "v1 ",
    ] {
        assert!(bad.parse::<Version>().is_err(), "{bad}");
    }
}

#[test]
fn addresses_of_entries_are_those_of_the_official_client() {
    let text = "wandb-artifact://41727469666163743a31/dir/1 #2.txt";
    let reference: ArtifactReference = text.parse().unwrap();
    assert_eq!(reference.artifact_id(), "QXJ0aWZhY3Q6MQ==");
    assert_eq!(reference.path(), "dir/1 #2.txt");
    assert_eq!(reference.to_string(), text);
    let draft: ClientReference = "wandb-client-artifact://0a1b/dir/x".parse().unwrap();
    assert_eq!((draft.client_id(), draft.path()), ("0a1b", "dir/x"));
    assert_eq!(
        draft.resolve("QXJ0aWZhY3Q6MQ==").unwrap().to_string(),
        "wandb-artifact://41727469666163743a31/dir/x"
    );
    for bad in [
        "wandb-artifact://41727469/",
        "wandb-artifact://zz/x",
        "wandb-artifact://abc/x",
        "wandb-artifact:///x",
        "s3://b/k",
        "wandb-artifact://41727469",
    ] {
        assert!(bad.parse::<ArtifactReference>().is_err(), "{bad}");
    }
    for bad in [
        "wandb-client-artifact:///x",
        "wandb-client-artifact://a/",
        "wandb-client-artifact://a",
    ] {
        assert!(bad.parse::<ClientReference>().is_err(), "{bad}");
    }
    assert!(ArtifactReference::new("not base64", "x").is_err());
}

#[test]
fn addresses_of_versions_are_those_of_the_official_client() {
    for text in [
        "wandb-artifact://_id/QXJ0aWZhY3Q6MQ==",
        "wandb-artifact://https://api.wandb.ai/_id/QXJ0aWZhY3Q6MQ==",
        "wandb-artifact://e/p/name:v3",
        "wandb-artifact://http://localhost:8080/e/p/name:best",
    ] {
        let address: ArtifactAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
    }
    for bad in [
        "wandb-artifact://e/p",
        "wandb-artifact://_id/",
        "wandb-artifact://ftp://h/e/p/n",
        "x",
        "wandb-artifact://https://u:p@h/e/p/n",
    ] {
        let error = bad.parse::<ArtifactAddress>().expect_err(bad);
        assert!(!error.to_string().contains("u:p"));
    }
}

proptest! {
    #[test]
    fn names_survive(
        entity in prop::option::of("[a-z0-9_-]{1,8}"),
        project in "[a-zA-Z0-9 ._é-]{0,6}[a-z]",
        collection in "[a-zA-Z0-9_.-]{1,12}",
        selector in prop::option::of("v[0-9]{1,4}|[a-z/:. ]{1,8}"),
    ) {
        let entity = entity.map(|entity| format!("{entity}/")).unwrap_or_default();
        let selector = selector.map(|selector| format!(":{selector}")).unwrap_or_default();
        let text = format!("{entity}{}/{collection}{selector}", project.trim());
        if let Ok(name) = text.parse::<ArtifactName>() {
            prop_assert_eq!(name.to_string(), text.clone());
            prop_assert_eq!(name.to_string().parse::<ArtifactName>().unwrap(), name);
        }
    }

    #[test]
    fn pages_survive(
        entity in "[a-z0-9_-]{1,8}é",
        project in "[a-zA-Z0-9 ._é-]{0,6}[a-z]",
        kind in "\\PC{0,8}[a-z]",
        collection in "[^\\p{C}/:]{0,8}[a-z]",
        selector in prop::option::of("v[0-9]{1,4}|\\PC{0,8}[a-z]"),
        tab in prop::option::of("[a-z]{1,8}(/[a-z]{1,8})?"),
    ) {
        let mut text = format!("{entity}/{project}/{collection}");
        let mut page = ["https://wandb.ai", &entity, &project, "artifacts", &kind, &collection]
            .map(|part| if part.contains("://wandb") { part.to_owned() } else { encode_segment(part) })
            .join("/");
        if let Some(selector) = selector {
            text.push_str(&format!(":{selector}"));
            page.push_str(&format!("/{}", encode_segment(&selector)));
            if let Some(tab) = tab {
                page.push_str(&format!("/{tab}?x=1#y"));
            }
        }
        if let Ok(name) = text.parse::<ArtifactName>() {
            prop_assert_eq!(ArtifactName::parse(&page, &PathContext::new()).unwrap(), name);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
        let _ = ArtifactName::parse(&format!("https://wandb.ai/e/p/artifacts/{text}"), &PathContext::new());
        if let Ok(name) = text.parse::<ArtifactName>() {
            prop_assert_eq!(name.to_string(), text.clone());
        }
        let _ = text.parse::<ArtifactAddress>();
        if let Ok(reference) = format!("wandb-artifact://{text}").parse::<ArtifactReference>() {
            prop_assert_eq!(reference.to_string().parse::<ArtifactReference>().unwrap(), reference);
        }
    }
}
