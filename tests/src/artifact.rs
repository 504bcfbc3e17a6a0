//! Versions of artifacts for tests, and what must be true of folders and caches at any moment.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use wandb_api::artifacts::Algorithm;
use wandb_api::artifacts::draft::AddOptions;
use wandb_api::{Api, Artifact, ArtifactDraft, UploadOptions};

/// The files of a version: paths and bytes.
pub type Files = Vec<(String, Bytes)>;

/// Bytes that are nowhere alike, other ones for each seed.
pub fn noise(seed: u64, size: usize) -> Bytes {
    (0..size as u64)
        .map(|place| {
            let mixed = (place ^ seed.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (mixed >> 56) as u8
        })
        .collect()
}

/// Logs a version of the type `dataset` in the project `p`.
///
/// # Panics
/// When that does not succeed.
pub async fn log_version(api: &Api, collection: &str, files: &Files) -> Artifact {
    let mut draft = ArtifactDraft::new("dataset", collection).expect("a sound name");
    for (path, bytes) in files {
        draft
            .add_bytes(path.as_str(), bytes.clone(), &AddOptions::default())
            .expect("a sound path");
    }
    let logged = draft.log_in(api, "p", &UploadOptions::default()).await;
    logged.expect("the version is logged").artifact
}

/// Every file below a directory, by its path with `/`; links are not followed and count as files.
///
/// # Panics
/// When something cannot be read.
pub fn walk(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.symlink_metadata().is_ok_and(|about| about.is_dir()) {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below the root");
                found.push((name.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    found.sort();
    found
}

/// Whether a file is one that is still being written.
pub fn is_part(path: &str) -> bool {
    path.ends_with(".wb-part")
}

/// Panics unless every finished file in a target directory is a member with its own bytes. Gives how many there are.
///
/// # Panics
/// When one is not.
pub fn assert_only_members(root: &Path, files: &Files) -> usize {
    let finished: Vec<_> = walk(root)
        .into_iter()
        .filter(|(name, _)| !is_part(name))
        .collect();
    for (name, path) in &finished {
        let member = files.iter().find(|(path, _)| path == name);
        let (_, bytes) = member.unwrap_or_else(|| panic!("{name:?} is no member"));
        let found = fs::read(path).expect("a file can be read");
        assert!(
            found == *bytes,
            "{name:?} has wrong bytes ({} of {})",
            found.len(),
            bytes.len()
        );
    }
    finished.len()
}

/// Panics unless every finished object of a cache has the bytes that its name says. Gives how many there are.
///
/// # Panics
/// When one has not.
pub fn assert_cache_is_true(cache: &Path) -> usize {
    let objects = cache.join("artifacts/obj");
    let mut count = 0;
    for (name, path) in walk(&objects) {
        if is_part(&name) {
            continue;
        }
        let algorithm = match name.split('/').next() {
            Some("md5") => Algorithm::Md5,
            Some("xxh128") => Algorithm::Xxh128,
            _ => panic!("{name:?} is no object of these tests"),
        };
        let hex: String = name.split('/').skip(1).collect();
        let found = algorithm.hash(&fs::read(path).expect("an object can be read"));
        assert_eq!(
            found.hex(),
            hex,
            "an object of the cache has other bytes than its name says"
        );
        count += 1;
    }
    count
}
