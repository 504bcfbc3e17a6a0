//! Artifacts against the embedded server: logged, read, edited, linked, downloaded, and worked with offline.

use std::fs;

use futures_util::TryStreamExt;
use wandb_api::{
    AddOptions, Api, Artifact, ArtifactDownloadOptions, ArtifactDraft, ErrorKind, UploadOptions,
};
use wandb_tests::{NewRun, TestServer};

use crate::downloads::{bytes, tree};

fn draft(name: &str, files: &[(&str, &[u8])]) -> ArtifactDraft {
    let mut draft = ArtifactDraft::new("model", name).unwrap();
    for (path, bytes) in files {
        draft
            .add_bytes(*path, bytes.to_vec(), &AddOptions::default())
            .unwrap();
    }
    draft
}

async fn run(server: &TestServer, id: &str) -> wandb_api::RunReference {
    let _writer = server.log("p", NewRun::named(id)).await;
    server.api().run_reference(&format!("p/{id}")).await.unwrap()
}

async fn versions(api: &Api, collection: &str) -> Vec<String> {
    let versions: Vec<Artifact> = api
        .artifact_versions(collection)
        .stream()
        .try_collect()
        .await
        .unwrap();
    versions.iter().map(|version| version.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_logged_and_every_byte_comes_back() {
    let server = TestServer::open();
    let api = server.api();
    let run = run(&server, "r").await;
    let large = bytes(3 << 20);
    let files: [(&str, &[u8]); 4] = [
        ("a.txt", b"abc"),
        ("data/b c#.bin", &large),
        ("data/empty", b""),
        ("ünï/cödé", b"x"),
    ];
    let first = draft("m", &files).description("first").alias("best");
    let logged = first.log(&run, &UploadOptions::default()).await.unwrap();
    assert!(logged.is_new);
    assert_eq!((logged.artifact.name.as_str(), logged.uploaded.sent), ("m:v0", 4));
    assert_eq!(logged.artifact.file_count, Some(4));

    // The same content again: no new version, nothing sent.
    let again = first.log(&run, &UploadOptions::default()).await.unwrap();
    assert_eq!((again.is_new, again.artifact.name.as_str()), (false, "m:v0"));

    // The next version has what the first one had, but for one file; only that is sent.
    let mut next = logged.artifact.new_draft().await.unwrap();
    next.add_bytes("a.txt", "changed", &AddOptions::default().overwrite(true))
        .unwrap();
    let second = next.log(&run, &UploadOptions::default()).await.unwrap();
    assert_eq!((second.artifact.name.as_str(), second.uploaded.sent), ("m:v1", 1));
    assert_eq!(versions(&api, "p/m").await, ["m:v1", "m:v0"]);
    assert_eq!(api.artifacts("model", "p/m").count().await.unwrap(), 2);

    let target = tempfile::tempdir().unwrap();
    let options = ArtifactDownloadOptions::below(target.path().join("v0"));
    let found = api.artifact("p/m:best").await.unwrap();
    let downloaded = found.download(&options).await.unwrap();
    assert_eq!(downloaded.fetched, 4);
    assert!(found.verify(target.path().join("v0")).await.unwrap().is_ok());
    let mut expected: Vec<_> = files
        .iter()
        .map(|(path, bytes)| ((*path).into(), bytes.to_vec()))
        .collect();
    expected.sort();
    assert_eq!(tree(&target.path().join("v0")), expected);

    // By digest, by id and by the address of its page it is the same version.
    let by_digest = api.artifact(&format!("p/m:{}", found.digest)).await.unwrap();
    let by_id = api.artifact(&found.id).await.unwrap();
    let alone = api.artifact(&format!("p/{}", found.digest)).await.unwrap();
    for same in [by_digest, by_id, alone] {
        assert_eq!((&same.id, &same.digest), (&found.id, &found.digest));
    }
    // Registries belong to organisations, which this server has none of.
    let registry = api.artifact("wandb-registry-model/m").await.unwrap_err();
    assert_eq!(registry.kind(), ErrorKind::NotFound);
    assert!(
        registry.hints().iter().any(|hint| hint.contains("organisation")),
        "{registry:?}"
    );
    let by_page = api.artifact(&format!("{}/files", found.url())).await.unwrap();
    assert_eq!(by_page.id, found.id);
    assert_eq!(by_page.name, "m:v0");
    let collection = found.url().replace("/v0", "");
    assert_eq!(api.artifact(&collection).await.unwrap().name, "m:v1");
    assert_eq!(versions(&api, &collection).await, ["m:v1", "m:v0"]);
    let page = found.url();
    let elsewhere = format!("http://elsewhere.test/{}", page.split_once("://").unwrap().1);
    assert_eq!(
        api.artifact(&elsewhere).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    let listed: Vec<_> = found.files().stream().try_collect().await.unwrap();
    assert_eq!(listed.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_version_is_refused_though_the_cache_has_it() {
    let server = TestServer::open();
    let folder = tempfile::tempdir().unwrap();
    let api = server
        .builder(server.transport())
        .artifact_cache(folder.path().join("cache"))
        .build();
    let draft = draft("m", &[("f", b"one")]);
    let logged = draft.log_in(&api, "p", &UploadOptions::default()).await.unwrap();
    let options = ArtifactDownloadOptions::below(folder.path().join("out"));
    logged.artifact.download(&options).await.unwrap();
    logged.artifact.delete(true).await.unwrap();
    let gone = api.artifact(&logged.artifact.id).await.unwrap();
    assert_eq!(gone.state, "DELETED");
    let again = ArtifactDownloadOptions::below(folder.path().join("again"));
    for refused in [
        gone.download(&again).await.map(drop),
        gone.verify(folder.path().join("out")).await.map(drop),
        gone.delete(true).await,
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("DELETED"), "{error}");
    }
    assert!(!folder.path().join("again").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_collections_aliases_tags_links_and_deletion() {
    let server = TestServer::open();
    let api = server.api();
    let run = run(&server, "r").await;
    for text in ["zero", "one"] {
        let draft = draft("m", &[("f", text.as_bytes())]).tag(text);
        draft.log(&run, &UploadOptions::default()).await.unwrap();
    }
    let types: Vec<_> = api.artifact_types("p").stream().try_collect().await.unwrap();
    assert_eq!(
        types.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(),
        ["model"]
    );
    let collections: Vec<_> = types[0].collections().stream().try_collect().await.unwrap();
    assert_eq!(collections.len(), 1);
    let tagged: Vec<_> = collections[0]
        .versions()
        .tags(["zero"])
        .page_size(1)
        .stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        tagged.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(),
        ["m:v0"]
    );

    let zero = api.artifact_of_type("p/m:v0", "model").await.unwrap();
    assert_eq!(
        api.artifact_of_type("p/m:v0", "dataset")
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    );
    assert!(!api.artifact_exists("p/m:v9").await.unwrap());
    assert!(!api.artifact_exists("nowhere/m").await.unwrap());
    let edited = zero
        .edit()
        .add_alias("prod")
        .add_tag("kept")
        .description("the first")
        .metadata_key("acc", 0.5)
        .save()
        .await
        .unwrap();
    assert!(
        edited.aliases.contains(&"prod".to_owned()),
        "{:?}",
        edited.aliases
    );
    assert_eq!(edited.description.as_deref(), Some("the first"));
    // The first handle is of before.
    let stale = zero
        .edit()
        .description("late")
        .if_unchanged()
        .save()
        .await
        .unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Conflict);

    let link = edited.link("shelf", ["live"]).await.unwrap();
    assert!(link.is_link);
    assert_eq!(
        (link.collection.as_str(), link.source_name().as_str()),
        ("shelf", "m:v0")
    );
    let links: Vec<_> = edited.linked_artifacts().stream().try_collect().await.unwrap();
    assert_eq!(links.len(), 1);
    let target = tempfile::tempdir().unwrap();
    let through = api.artifact("p/shelf:live").await.unwrap();
    let options = ArtifactDownloadOptions::below(target.path());
    assert_eq!(through.download(&options).await.unwrap().fetched, 1);
    assert_eq!(fs::read(target.path().join("f")).unwrap(), b"zero");
    // A link is neither deleted nor taken for its source.
    for with_aliases in [false, true] {
        let refused = through.delete(with_aliases).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert!(refused.to_string().contains("m:v0"), "{refused}");
    }
    assert!(api.artifact_exists("p/shelf:live").await.unwrap());
    link.unlink().await.unwrap();
    assert!(!api.artifact_exists("p/shelf:live").await.unwrap());

    let refused = edited.delete(false).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    assert!(refused.to_string().contains("prod"), "{refused}");
    assert!(api.artifact_exists("p/m:v0").await.unwrap());
    edited.delete(true).await.unwrap();
    assert!(!api.artifact_exists("p/m:v0").await.unwrap());
    assert_eq!(versions(&api, "p/m").await, ["m:v1"]);
    // The same content can be logged again after it was deleted, and is a new version.
    let back = draft("m", &[("f", b"zero")]).tag("zero");
    let back = back.log(&run, &UploadOptions::default()).await.unwrap();
    assert_eq!((back.is_new, back.artifact.name.as_str()), (true, "m:v2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_made_and_used_versions_and_their_lineage() {
    let server = TestServer::open();
    let api = server.api();
    let (maker, user) = (run(&server, "maker").await, run(&server, "user").await);
    let options = UploadOptions::default();
    let data = draft("data", &[("d", b"data")])
        .log(&maker, &options)
        .await
        .unwrap()
        .artifact;
    user.use_artifact(&data, Some("training data")).await.unwrap();
    let model = draft("m", &[("w", b"weights")])
        .log(&user, &options)
        .await
        .unwrap()
        .artifact;

    let used: Vec<_> = user.used_artifacts().stream().try_collect().await.unwrap();
    assert_eq!(
        used.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(),
        ["data:v0"]
    );
    let logged: Vec<_> = user.logged_artifacts().stream().try_collect().await.unwrap();
    assert_eq!(
        logged.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(),
        [&*model.id]
    );
    assert_eq!(data.logged_by().await.unwrap().unwrap().id, "maker");
    let users: Vec<_> = data.used_by().stream().try_collect().await.unwrap();
    assert_eq!(
        users.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(),
        ["user"]
    );
    user.log_artifact(&model, ["again"]).await.unwrap();
    assert_eq!(api.artifact("p/m:again").await.unwrap().id, model.id);
    // Of a version that is gone the server begins a new one, which does not stay.
    let gone = draft("gone", &[("x", b"gone")])
        .log(&user, &options)
        .await
        .unwrap();
    gone.artifact.delete(true).await.unwrap();
    let (counted, counting) = server.counted();
    let again = counted.run_reference("p/user").await.unwrap();
    let error = again.log_artifact(&gone.artifact, ["again"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(counting.count("DeleteArtifact"), 1);
    let is_left = error.hints().iter().any(|hint| hint.contains("stays"));
    assert!(!is_left, "{error:?}");

    let graph = model.lineage().upstream(2).fetch().await.unwrap();
    assert!(!graph.is_partial(), "{:?}", graph.gaps);
    assert_eq!(
        (graph.artifacts.len(), graph.runs.len(), graph.edges.len()),
        (2, 2, 3)
    );

    // Without a run of the caller's one is made, and ended.
    let alone = draft("alone", &[("x", b"y")])
        .log_in(&api, "p", &options)
        .await
        .unwrap()
        .artifact;
    let auto = alone.logged_by().await.unwrap().unwrap();
    assert_eq!(
        (auto.job_type.as_deref(), auto.state.as_str()),
        (Some("auto"), "finished")
    );
    let again = draft("alone", &[("x", b"y")])
        .log_in(&api, "p", &options)
        .await
        .unwrap();
    assert!(!again.is_new);

    // After another content the first one is the latest again when it is logged again.
    let other = draft("alone", &[("x", b"z")]);
    other.log_in(&api, "p", &options).await.unwrap();
    let back = draft("alone", &[("x", b"y")]);
    let back = back.log_in(&api, "p", &options).await.unwrap();
    assert_eq!(
        (back.is_new, back.artifact.id.as_str()),
        (false, alone.id.as_str())
    );
    assert_eq!(api.artifact("p/alone").await.unwrap().id, alone.id);
}
