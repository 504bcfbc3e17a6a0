//! The artifacts of the sample project: a data set, and a model in two versions that were trained on it.

use rusqlite::{Connection, params};

use super::generate::TAG;
use super::random::Random;
use crate::blobs::{BlobStore, Stored};
use crate::store::artifacts::create::{self, NewArtifact};
use crate::store::artifacts::document::{self, Document, Entry};
use crate::store::artifacts::manifests::{self, NewManifest};
use crate::store::artifacts::uploads::{self, FileSpec};
use crate::store::artifacts::{Algorithm, ManifestKind, collections, commit, lineage};
use crate::store::identity::Identity;
use crate::store::projects::ProjectRow;
use crate::store::{StoreError, StoreResult};

/// The collection of the data set.
const DATA: &str = "sample-digits";
/// The collection of the model.
const MODEL: &str = "sample-model";
/// Weights of a model, in numbers of four bytes.
const WEIGHTS: usize = 8_192;

type Files = Vec<(&'static str, Vec<u8>)>;

/// A version to be written.
struct Version {
    collection: &'static str,
    kind: &'static str,
    description: &'static str,
    metadata: serde_json::Value,
    aliases: &'static [&'static str],
    files: Files,
}

/// Writes the artifacts, replacing those of an earlier filling, and returns how many versions there are now and the
/// digests whose bytes may have lost their last reference.
///
/// # Errors
/// A collection that is no sample has the name of one, or the data directory cannot be written.
pub(super) fn write(
    db: &Connection,
    identity: &Identity,
    blobs: &BlobStore,
    project: &ProjectRow,
) -> StoreResult<(usize, Vec<String>)> {
    let mut released = Vec::new();
    for name in [DATA, MODEL] {
        released.extend(remove_earlier(db, project.id, name)?);
    }
    let runs = finished(db, project.id)?;
    let [maker, first, second, ..] = runs.as_slice() else {
        return Ok((0, released));
    };
    let data = log(db, identity, blobs, project, maker, data_set())?;
    for run in [first, second] {
        lineage::record_use(db, run.id, data, "training data")?;
    }
    log(db, identity, blobs, project, first, model(1, &["baseline"]))?;
    log(db, identity, blobs, project, second, model(2, &["best"]))?;
    for name in [DATA, MODEL] {
        if let Some(row) = collections::find(db, project.id, name)? {
            collections::add_tags(db, row.id, &[TAG.to_owned()])?;
        }
    }
    Ok((3, released))
}

fn remove_earlier(db: &Connection, project: i64, name: &str) -> StoreResult<Vec<String>> {
    match collections::find(db, project, name)? {
        None => Ok(Vec::new()),
        Some(row) if row.tags.iter().any(|tag| tag.name == TAG) => {
            collections::delete(db, row.id, row.portfolio)
        }
        Some(_) => Err(StoreError::Refused(format!(
            "artifact {name:?} exists and is no sample"
        ))),
    }
}

/// A run that may have logged something.
struct Run {
    id: i64,
    name: String,
    at: i64,
}

fn finished(db: &Connection, project: i64) -> StoreResult<Vec<Run>> {
    Ok(db
        .prepare_cached(
            "SELECT r.id, r.name, r.heartbeat_at FROM runs r WHERE r.project_id = ?1 AND r.state = 'finished'
               AND EXISTS (SELECT 1 FROM run_tags t WHERE t.run_id = r.id AND t.tag = ?2) ORDER BY r.created_at LIMIT 3",
        )?
        .query_map(params![project, TAG], |row| {
            Ok(Run {
                id: row.get(0)?,
                name: row.get(1)?,
                at: row.get(2)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}

fn data_set() -> Version {
    let table = |seed: u64, rows: usize| {
        let mut random = Random::new(seed);
        let mut text = "x,y,label\n".to_owned();
        for _ in 0..rows {
            let label = random.bits() % 10;
            let (x, y) = (random.normal() + label as f64, random.normal() - label as f64);
            text.push_str(&format!("{x:.4},{y:.4},{label}\n"));
        }
        text.into_bytes()
    };
    Version {
        collection: DATA,
        kind: "dataset",
        description: "Points in ten clouds. Sample data made by wandb-local.",
        metadata: serde_json::json!({ "classes": 10, "rows": { "train": 1000, "test": 200 } }),
        aliases: &["v-sample"],
        files: vec![
            ("README.md", b"Sample data made by wandb-local.\n".to_vec()),
            ("test.csv", table(2, 200)),
            ("train.csv", table(1, 1000)),
        ],
    }
}

fn model(seed: u64, aliases: &'static [&'static str]) -> Version {
    let mut random = Random::new(0xA11CE + seed);
    let weights = (0..WEIGHTS).flat_map(|_| (random.normal() as f32).to_le_bytes());
    let weights = weights.collect();
    let config = serde_json::json!({ "format": "f32, little endian", "weights": WEIGHTS, "trained": false });
    Version {
        collection: MODEL,
        kind: "model",
        description: "Random weights. Nothing was trained.",
        metadata: serde_json::json!({ "seed": seed }),
        aliases,
        files: vec![
            ("config.json", config.to_string().into_bytes()),
            ("weights/model.bin", weights),
        ],
    }
}

fn stored(blobs: &BlobStore, bytes: Vec<u8>) -> StoreResult<Stored> {
    blobs.put_bytes(bytes.into()).map_err(|source| StoreError::Io {
        doing: "store a file of a sample artifact".to_owned(),
        source: std::io::Error::other(source),
    })
}

/// Does what the requests of a client would have done, then sets the dates to those of the run.
fn log(
    db: &Connection,
    identity: &Identity,
    blobs: &BlobStore,
    project: &ProjectRow,
    run: &Run,
    version: Version,
) -> StoreResult<i64> {
    let mut document = Document::default();
    let mut files = Vec::with_capacity(version.files.len());
    for (path, bytes) in version.files {
        let size = bytes.len() as i64;
        let file = stored(blobs, bytes)?;
        let entry = Entry {
            digest: file.digest.to_base64(),
            size: Some(size),
            birth: None,
            reference: None,
            extra: None,
            skip_cache: None,
        };
        document.entries.insert(path.to_owned(), entry);
        files.push((path, file));
    }
    let new = NewArtifact {
        entity: project.entity_name.clone(),
        project: project.name.clone(),
        run: Some(run.name.clone()),
        kind: version.kind.to_owned(),
        collection: version.collection.to_owned(),
        digest: document::digest(Algorithm::Md5, &document.entries),
        description: Some(version.description.to_owned()),
        metadata: Some(version.metadata.to_string()),
        aliases: version.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        tags: vec![TAG.to_owned()],
        ..NewArtifact::default()
    };
    let artifact = create::create(db, identity, &new)?;
    for (path, file) in files {
        let spec = FileSpec {
            artifact,
            manifest: None,
            path: path.to_owned(),
            md5: file.digest.to_base64(),
            digest: None,
            parts: Vec::new(),
        };
        let (rows, _) = uploads::declare(db, identity, &[spec])?;
        for row in rows {
            uploads::uploaded(db, &row, &file.digest.to_string(), file.size as i64)?;
        }
    }
    let text = document::write(&document).map_err(|problem| StoreError::Refused(problem.to_string()))?;
    let file = stored(blobs, text)?;
    let new = NewManifest {
        artifact,
        base: None,
        name: "wandb_manifest.json".to_owned(),
        digest: file.digest.to_base64(),
        kind: ManifestKind::Full,
    };
    let (manifest, _) = manifests::create(db, &new)?;
    manifests::uploaded(db, manifest, &file.digest.to_string(), file.size as i64)?;
    let manifest = manifests::by_id(db, manifest)?;
    let manifest = manifest.as_slice();
    commit::apply(db, blobs, identity, artifact, None, manifest, vec![document])?;
    db.prepare_cached("UPDATE artifacts SET created_at = ?2, updated_at = ?2 WHERE id = ?1")?
        .execute([artifact, run.at])?;
    db.prepare_cached("UPDATE artifact_memberships SET created_at = ?2 WHERE artifact_id = ?1")?
        .execute([artifact, run.at])?;
    Ok(artifact)
}
