//! Typed media of a version (official: `Artifact.get`).

use std::{io::Read, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use wandb_artifacts::{
    EntryDigest, Manifest,
    media::{EntryInfo, EntryReader, Media, ReadOptions},
    name::ArtifactReference,
};
use wandb_core::{Error, ErrorKind, Result};

use super::{Artifact, ArtifactDownloadOptions, lookup};
use crate::{Api, runtime::blocking};

impl Artifact {
    /// The object that was added as `name` (`artifact.add(wandb.Table(…), name)`), or `None` when there is no such one.
    ///
    /// Unlike the official client, which downloads the whole version for a table, this fetches the object's own files only,
    /// and files of media when they are asked for. They are downloaded to the [default root](Self::default_root) and
    /// verified.
    ///
    /// # Errors
    /// As [`Media::read`]; as [`download_entry`](Self::download_entry) for the files.
    pub async fn get(&self, name: &str) -> Result<Option<Media>> {
        self.get_with(name, &ReadOptions::default()).await
    }

    /// [`get`](Self::get) with limits and choices of one's own.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_with(&self, name: &str, options: &ReadOptions) -> Result<Option<Media>> {
        let reader = self.entry_reader().await?;
        Media::read_with(&reader, name, options).await.map_err(|error| {
            Error::from(error).in_operation(format!("get {name:?} of \"{}\"", self.exact_name()))
        })
    }

    /// The entries of the version, for [`Media::read`]. The manifest is read; files are fetched when they are asked for.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest).
    pub async fn entry_reader(&self) -> Result<Arc<dyn EntryReader>> {
        self.entry_reader_with(&ArtifactDownloadOptions::default()).await
    }

    /// [`entry_reader`](Self::entry_reader) with a say in where files go, and how. Entries of other versions, to which
    /// references lead, go to the default roots of these.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest).
    pub async fn entry_reader_with(&self, options: &ArtifactDownloadOptions) -> Result<Arc<dyn EntryReader>> {
        Ok(Arc::new(Entries {
            manifest: self.manifest().await?,
            artifact: self.clone(),
            options: options.clone(),
        }))
    }
}

/// The entries of a version.
#[derive(Debug)]
struct Entries {
    artifact: Artifact,
    manifest: Arc<Manifest>,
    options: ArtifactDownloadOptions,
}

#[async_trait]
impl EntryReader for Entries {
    fn id(&self) -> &str {
        &self.artifact.id
    }

    async fn entry(&self, path: &str) -> Result<Option<EntryInfo>> {
        Ok(self.manifest.get(path).map(EntryInfo::from))
    }

    async fn names_with_prefix(&self, prefix: &str) -> Result<Vec<String>> {
        let entries = self.manifest.with_prefix(prefix).iter();
        Ok(entries.map(|entry| entry.path().to_owned()).collect())
    }

    async fn bytes(&self, path: &str, limit: u64) -> Result<Bytes> {
        let local = self.path(path).await?;
        let expected = match self.artifact.entry(path).await?.digest() {
            EntryDigest::Content(digest) => Some(*digest),
            _ => None,
        };
        let path = path.to_owned();
        blocking(move || {
            let failed = |source| Error::io(format!("failed to read {local:?}"), source);
            let file = std::fs::File::open(&local).map_err(failed)?;
            let mut bytes = Vec::new();
            file.take(limit.saturating_add(1))
                .read_to_end(&mut bytes)
                .map_err(failed)?;
            if bytes.len() as u64 > limit {
                return Err(Error::invalid_input(format!(
                    "entry {path:?} has more than {limit} bytes"
                )));
            }
            // The file lies where others can write: what is given away is compared, not what was downloaded.
            if expected.is_some_and(|digest| digest.algorithm().hash(&bytes) != digest) {
                return Err(Error::new(
                    ErrorKind::Integrity,
                    format!("file {local:?} was changed after it was downloaded"),
                ));
            }
            Ok(Bytes::from(bytes))
        })
        .await
    }

    async fn path(&self, path: &str) -> Result<PathBuf> {
        self.artifact.download_entry(path, &self.options).await
    }

    async fn paths(&self, paths: &[String]) -> Result<Vec<PathBuf>> {
        let operation = format!(
            "download {} files of artifact \"{}\"",
            paths.len(),
            self.artifact.exact_name()
        );
        self.artifact
            .download_entries(paths, &self.options, operation)
            .await
    }

    async fn artifact(&self, uri: &str) -> Result<Arc<dyn EntryReader>> {
        other(&self.artifact.api, uri).await
    }
}

/// The entries of the version that a reference names.
async fn other(api: &Api, uri: &str) -> Result<Arc<dyn EntryReader>> {
    let reference: ArtifactReference = uri.parse().map_err(|error| {
        Error::new(
            ErrorKind::Unsupported,
            format!("{uri:?} does not name a logged version"),
        )
        .with_source(error)
    })?;
    lookup::by_id(api, reference.artifact_id())
        .await?
        .entry_reader()
        .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wandb_transport::ScriptedTransport;

    use super::*;
    use crate::artifact::{
        cache_tests::{expect_file, expect_urls},
        tests::{expect_manifest, expect_model, manifest_of},
    };

    fn client(script: &ScriptedTransport, target: &std::path::Path) -> Api {
        Api::builder(Arc::new(script.clone()))
            .base_url("https://api.example")
            .and_then(|builder| builder.entity("e"))
            .and_then(|builder| builder.api_key(crate::testing::KEY))
            .unwrap()
            .artifact_directory(target)
            .build()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_table_is_got_without_the_media_in_its_cells() {
        const TABLE: &[u8] = br#"{"columns":["a","b"],"data":[[1,{"_type":"html-file","path":"p.html"}]]}"#;
        let files: [(&str, &'static [u8]); 3] =
            [("t.table.json", TABLE), ("p.html", b"<p>"), ("unused", b"x")];
        let manifest = manifest_of(&files);
        let target = tempfile::tempdir().unwrap();
        let script = ScriptedTransport::unordered();
        let api = client(&script, target.path());
        expect_model(&script, json!({"digest": manifest.digest().to_string()}));
        let artifact = api.artifact("e/p/model:v3").await.unwrap();
        expect_manifest(&script, manifest.to_json());
        assert!(artifact.get("absent").await.unwrap().is_none());

        expect_urls(&script, &["t.table.json"]);
        expect_file(&script, "t.table.json", TABLE);
        let table = artifact.get("t").await.unwrap().unwrap().into_table().unwrap();
        let row = table.row(0).unwrap();
        assert_eq!(row.get("a").unwrap().as_i64(), Some(1));
        script.finish();

        let Some(wandb_artifacts::media::Cell::Media(cell)) = row.get("b") else {
            panic!("the cell holds media");
        };
        expect_urls(&script, &["p.html"]);
        expect_file(&script, "p.html", b"<p>");
        let page = cell.media().unwrap();
        assert_eq!(page.file().unwrap().text().await.unwrap(), "<p>");
        script.finish();

        // A reference that only its own process can follow.
        let reader = artifact.entry_reader().await.unwrap();
        let error = reader
            .artifact("wandb-client-artifact://x/t.table.json")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_files_of_a_model_are_asked_for_together() {
        const MODEL: &[u8] = br#"{"type":"tfkeras-model-file","path":"net"}"#;
        let files: [(&str, &'static [u8]); 4] = [
            ("m.tfkeras-model-file.json", MODEL),
            ("net/a.bin", b"a"),
            ("net/b/c.bin", b"c"),
            ("unused", b"x"),
        ];
        let manifest = manifest_of(&files);
        let target = tempfile::tempdir().unwrap();
        let script = ScriptedTransport::unordered();
        let api = client(&script, target.path());
        expect_model(&script, json!({"digest": manifest.digest().to_string()}));
        let artifact = api.artifact("e/p/model:v3").await.unwrap();
        expect_manifest(&script, manifest.to_json());
        expect_urls(&script, &["m.tfkeras-model-file.json"]);
        expect_file(&script, "m.tfkeras-model-file.json", MODEL);
        let Some(Media::SavedModel(model)) = artifact.get("m").await.unwrap() else {
            panic!("it is a model");
        };
        script.finish();
        // One question about both, and not about the rest.
        expect_urls(&script, &["net/a.bin", "net/b/c.bin"]);
        expect_file(&script, "net/a.bin", b"a");
        expect_file(&script, "net/b/c.bin", b"c");
        let files = model.files().await.unwrap();
        script.finish();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a.bin", "b/c.bin"]);
        assert_eq!(std::fs::read(&files[1].1).unwrap(), b"c");
    }
}
