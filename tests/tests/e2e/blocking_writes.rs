//! What the blocking client writes, read back: runs, files, artifacts, media, sweeps, reports, projects and people; on a plain
//! thread, and inside of both kinds of runtimes.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use wandb_api::artifacts::media::{Cell, MemoryReader};
use wandb_api::blocking::{AnyTable, Api, ArtifactDraft, EntryReader, File, Media, Report, Run};
use wandb_api::{
    AddOptions, ArtifactDownloadOptions, ErrorKind, FileDownloadOptions, ReferenceOptions, Selection,
    SweepState, UpdatableState, UploadOptions, Value, WaitOptions,
};
use wandb_tests::{KEY, TestServer};

const TABLE: &str = r#"{"_type":"table","columns":["n","pic"],
    "data":[[1,{"_type":"image-file","path":"media/a.png","format":"png","width":1,"height":1}]]}"#;

/// A client that keeps media below `home`.
fn client(server: &TestServer, home: &Path) -> Api {
    Api::builder(server.transport())
        .base_url(server.api().base_url().as_str())
        .and_then(|builder| builder.api_key(KEY))
        .unwrap()
        .artifact_directory(home)
        .build()
}

/// Everything, one after the other, without a word of async.
fn tour(server: &TestServer) {
    let home = TempDir::new().unwrap();
    let api = client(server, home.path());
    assert_eq!(api.create_project("fresh").unwrap().name, "fresh");
    runs(&api, home.path());
    drafts(&api, home.path());
    media(&api, home.path());
    sweeps(&api);
    reports(&api);
    people(&api, server);
}

fn runs(api: &Api, home: &Path) {
    let run = api
        .create_run("fresh")
        .id("mine")
        .config("lr", 0.1)
        .tag("first")
        .create()
        .unwrap();
    let taken = api.create_run("fresh").id("mine").create().unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict);
    let stale = run.clone();
    let run = run
        .edit()
        .config("lr", 0.2)
        .add_tag("second")
        .notes("n")
        .save()
        .unwrap();
    assert_eq!(run.config().unwrap().get("lr"), Some(&Value::Float(0.2)));
    assert_eq!(run.tags, ["first", "second"]);
    let late = stale.edit().notes("late").if_unchanged().save().unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Conflict);
    let mut summary = run.edit_summary().unwrap();
    summary.set("loss", 0.5);
    summary.set_path(["deep", "er"], 1).unwrap();
    let run = summary.commit().unwrap();
    assert_eq!(run.summary().unwrap().get_path("deep.er"), Some(&Value::Int(1)));

    let sent = home.join("sent");
    std::fs::create_dir_all(&sent).unwrap();
    for (name, text) in [("a.txt", "one"), ("b.txt", "two"), ("c.txt", "three")] {
        std::fs::write(sent.join(name), text).unwrap();
    }
    let file = run.upload_file(sent.join("a.txt"), &sent).unwrap();
    assert_eq!(file.bytes(10).unwrap(), "one".as_bytes());
    let more = run
        .reference()
        .upload_files([sent.join("b.txt"), sent.join("c.txt")], &sent)
        .unwrap();
    let back = more[1]
        .download(&FileDownloadOptions::below(home.join("back")))
        .unwrap();
    assert_eq!(std::fs::read(back.path).unwrap(), b"three");
    let names = |run: &Run| -> Vec<String> {
        let mut names: Vec<String> = run
            .files()
            .stream()
            .map(|file| file.unwrap().name.clone())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&run), ["a.txt", "b.txt", "c.txt"]);
    file.delete().unwrap();
    let kept: Vec<File> = vec![more[0].clone()];
    run.delete_files(&kept).unwrap();
    assert_eq!(names(&run), ["c.txt"]);
    assert!(run.metadata().unwrap().is_none());
    assert_eq!(run.console_logs().stream().count(), 0);

    run.stop().unwrap();
    assert_eq!(run.current_state().unwrap(), "running");
    let waits = WaitOptions::default().timeout(Duration::from_millis(5));
    assert_eq!(
        run.wait_until_finished(&waits).unwrap_err().kind(),
        ErrorKind::Timeout
    );
    let over = run.update_state(UpdatableState::Failed).unwrap();
    assert_eq!(
        over.wait_until_finished(&WaitOptions::default()).unwrap().state,
        "failed"
    );
    over.delete(true).unwrap();
    assert_eq!(over.reload().unwrap_err().kind(), ErrorKind::NotFound);
}

fn drafts(api: &Api, home: &Path) {
    let folder = home.join("folder");
    std::fs::create_dir_all(folder.join("deep")).unwrap();
    std::fs::write(folder.join("weights"), b"weights").unwrap();
    std::fs::write(folder.join("deep/more"), b"more").unwrap();
    let maker = api.create_run("fresh").id("maker").create().unwrap();

    let mut draft = ArtifactDraft::new("model", "net").unwrap();
    let entry = draft.add_file(folder.join("weights"), Some("w.bin"), &AddOptions::default());
    assert_eq!(entry.unwrap().size(), Some(7));
    let added = draft
        .add_directory(&folder, Some("all"), &AddOptions::default())
        .unwrap();
    assert_eq!(added, 2);
    let address = format!("file://{}", folder.join("weights").display());
    let pointed = draft.reference(api, &address, Some("elsewhere"), ReferenceOptions::default());
    assert_eq!(pointed.unwrap(), 1);
    draft
        .add_bytes("note.txt", "hello", &AddOptions::default())
        .unwrap();
    draft.remove("all/deep").unwrap();
    let draft = draft
        .description("the first")
        .metadata_key("acc", 0.5)
        .alias("best")
        .tag("kept");
    let logged = draft.log(&maker.reference(), &UploadOptions::default()).unwrap();
    assert!(logged.is_new);
    let version = logged.artifact();
    assert_eq!((version.name.as_str(), version.file_count), ("net:v0", Some(4)));
    // Logged by hand again, and by a run that is made for it: the same version.
    let again = draft.log_in(api, "fresh", &UploadOptions::default()).unwrap();
    assert_eq!((again.is_new, &again.artifact().id), (false, &version.id));

    let found = api.artifact("fresh/net:best").unwrap();
    assert_eq!(found.logged_by().unwrap().unwrap().id, "maker");
    let options = ArtifactDownloadOptions::below(home.join("net"));
    assert_eq!(found.download(&options).unwrap().root, home.join("net"));
    assert_eq!(std::fs::read(home.join("net/elsewhere")).unwrap(), b"weights");
    assert_eq!(std::fs::read(home.join("net/all/weights")).unwrap(), b"weights");
    assert!(!home.join("net/all/deep").exists());
    assert!(found.verify(home.join("net")).unwrap().is_ok());

    let user = api.create_run("fresh").id("user").create().unwrap();
    user.use_artifact(&found, Some("input")).unwrap();
    let used: Vec<_> = user.used_artifacts().stream().collect::<Result<_, _>>().unwrap();
    assert_eq!(used[0].artifact().id, found.id);
    let users: Vec<String> = found
        .used_by()
        .stream()
        .map(|run| run.unwrap().id.clone())
        .collect();
    assert_eq!(users, ["user"]);

    let mut next = found.new_draft().unwrap();
    next.add_bytes("note.txt", "changed", &AddOptions::default().overwrite(true))
        .unwrap();
    let second = next.log(&user.reference(), &UploadOptions::default()).unwrap();
    assert_eq!(
        (second.artifact().name.as_str(), second.uploaded.sent),
        ("net:v1", 1)
    );
    let edited = second.artifact().edit().add_alias("prod").save().unwrap();
    edited.link("shelf", ["live"]).unwrap().unlink().unwrap();
    edited.delete(true).unwrap();
    assert!(!api.artifact_exists("fresh/net:v1").unwrap());
}

fn media(api: &Api, home: &Path) {
    let mut draft = ArtifactDraft::new("dataset", "pictures").unwrap();
    let image = r#"{"_type":"image-file","path":"media/a.png","format":"png","width":1,"height":1,
        "boxes":{"truth":[{"class_id":1,"position":{"minX":0,"maxX":1,"minY":0,"maxY":1}}]}}"#;
    let joined = r#"{"_type":"joined-table","table1":"t.table.json","table2":"t.table.json","join_key":"n"}"#;
    let model = r#"{"type":"tfkeras-model-file","path":"net"}"#;
    for (path, text) in [
        ("t.table.json", TABLE),
        ("parts/0.table.json", TABLE),
        ("parts/1.table.json", TABLE),
        (
            "p.partitioned-table.json",
            r#"{"_type":"partitioned-table","parts_path":"parts"}"#,
        ),
        ("i.image-file.json", image),
        ("j.joined-table.json", joined),
        ("m.tfkeras-model-file.json", model),
        ("net/a", "a"),
        ("net/b/c", "c"),
        ("media/a.png", "png"),
    ] {
        draft.add_bytes(path, text, &AddOptions::default()).unwrap();
    }
    let logged = draft.log_in(api, "fresh", &UploadOptions::default()).unwrap();
    let artifact = logged.artifact();
    assert!(artifact.get("absent").unwrap().is_none());

    let table = artifact.get("t").unwrap().and_then(Media::into_table).unwrap();
    let Some(Cell::Media(cell)) = table.row(0).unwrap().get("pic") else {
        panic!("the cell holds media");
    };
    let picture = table.mirrored(cell.media().unwrap());
    assert_eq!(picture.file().unwrap().text().unwrap(), "png");

    let Some(Media::Image(image)) = artifact.get("i").unwrap() else {
        panic!("it is an image");
    };
    assert_eq!((image.width, image.file().bytes().unwrap().len()), (Some(1), 3));
    assert!(image.file().local_path().unwrap().starts_with(home));
    assert_eq!(
        image.box_layer("truth").unwrap().read().unwrap().as_slice().len(),
        1
    );

    let Some(Media::PartitionedTable(parts)) = artifact.get("p").unwrap() else {
        panic!("it is in parts");
    };
    assert_eq!(parts.parts().unwrap().len(), 2);
    assert_eq!(parts.read().unwrap().len(), 2);
    let Some(Media::JoinedTable(joined)) = artifact.get("j").unwrap() else {
        panic!("it is joined");
    };
    let AnyTable::Table(left) = joined.table1().open().unwrap() else {
        panic!("it is a table");
    };
    assert_eq!(left.len(), 1);
    let Some(Media::SavedModel(model)) = artifact.get("m").unwrap() else {
        panic!("it is a model");
    };
    let files = model.files().unwrap();
    assert_eq!(
        files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["a", "b/c"]
    );
    assert_eq!(std::fs::read(&files[1].1).unwrap(), b"c");

    // By the entries of the version, and by a reader of one's own.
    let reader = artifact.entry_reader().unwrap();
    assert_eq!(reader.names_with_prefix("net/").unwrap().len(), 2);
    assert_eq!(reader.bytes("net/a", 10).unwrap(), "a".as_bytes());
    let absent = reader.path("nowhere").unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    let memory: std::sync::Arc<dyn wandb_api::artifacts::media::EntryReader> =
        std::sync::Arc::new(MemoryReader::new("memory").with("t.table.json", TABLE));
    let table = Media::read(&EntryReader::from(memory), "t").unwrap();
    assert_eq!(table.and_then(Media::into_table).unwrap().len(), 1);
}

fn sweeps(api: &Api) {
    let config = "method: grid\nmetric: {name: loss, goal: minimize}\nparameters:\n  lr: {values: [1, 2]}\n";
    let sweep = api.create_sweep("fresh", config).unwrap().sweep();
    for (id, loss) in [("s1", 0.5), ("s2", 0.1)] {
        let run = api.create_run("fresh").id(id).sweep(sweep.id.as_str());
        assert_eq!(run.summary("loss", loss).create().unwrap().id, id);
    }
    assert_eq!(sweep.best_run().unwrap().run().unwrap().id, "s2");
    assert_eq!(sweep.load_runs().unwrap().len(), 2);
    assert!(sweep.agents().unwrap().is_empty());
    assert_eq!(sweep.set_state(SweepState::Paused).unwrap().state, "PAUSED");
    assert_eq!(api.sweeps("fresh").count().unwrap(), 1);
    let of_run = api.run("fresh/s1").unwrap().sweep().unwrap();
    assert_eq!(of_run.unwrap().id, sweep.id);
    let attributes = Selection::attributes();
    assert_eq!(sweep.runs().select(attributes).stream().count(), 2);
}

fn reports(api: &Api) {
    let run_set = json!({"name": "Run set", "filters": {"op": "OR", "filters": [{"op": "AND", "filters": [
        {"key": {"section": "run", "name": "name"}, "op": "=", "value": "s1", "disabled": false}]}]}});
    let spec = json!({"version": 5, "blocks": [{"type": "panel-grid", "metadata": {"runSets": [run_set]}}]});
    let report = api
        .create_report("fresh", "Losses")
        .spec(spec.to_string())
        .and_then(|report| report.description("d").save())
        .unwrap();
    let listed: Vec<Report> = api.reports("fresh").stream().collect::<Result<_, _>>().unwrap();
    assert_eq!((listed.len(), &listed[0].id), (1, &report.id));
    let section = &listed[0].sections().unwrap()[0];
    let runs: Vec<Run> = listed[0]
        .runs(section, false)
        .unwrap()
        .stream()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["s1"]);
    let changed = report.edit().display_name("Better").save().unwrap();
    assert_eq!(
        (changed.display_name.as_deref(), changed.description.as_deref()),
        (Some("Better"), Some("d"))
    );
    changed.delete().unwrap();
    assert_eq!(changed.reload().unwrap_err().kind(), ErrorKind::NotFound);
}

fn people(api: &Api, server: &TestServer) {
    let me = api.current_user().unwrap();
    let name = me.username.clone().unwrap();
    assert_eq!(api.user(&name).unwrap().id, me.id);
    assert_eq!(api.users(name).stream().count(), 1);
    let team = api.create_team("crew", None).unwrap();
    let robot = team.create_service_account("ci").unwrap();
    let key = robot.api_key.as_ref().unwrap().expose();
    let as_robot = Api::builder(server.transport())
        .base_url(server.api().base_url().as_str())
        .and_then(|builder| builder.api_key(key))
        .unwrap()
        .build();
    assert_eq!(as_robot.viewer().unwrap().teams, ["crew"]);
    team.reload().unwrap().remove_member(&robot).unwrap();
    assert_eq!(api.team("crew").unwrap().members.len(), 1);
    assert!(team.invite("nobody", false).is_err());
    let fresh = api.generate_api_key(Some("laptop")).unwrap();
    api.delete_api_key(&fresh.id).unwrap();
    assert_eq!(
        api.delete_api_key(&fresh.id).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn on_a_plain_thread() {
    tour(&TestServer::open());
}

#[test]
fn inside_of_a_current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tour(&TestServer::open()) });
}

#[test]
fn inside_of_a_multi_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let on_worker = tokio::spawn(async { tour(&TestServer::open()) });
        let on_pool = tokio::task::spawn_blocking(|| tour(&TestServer::open()));
        on_worker.await.unwrap();
        on_pool.await.unwrap();
    });
}
