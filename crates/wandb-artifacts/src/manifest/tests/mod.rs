//! What manifests promise. The vectors come from the official client, 0.31.0.

use std::io::{self, Read};

use wandb_core::{Error, ErrorKind};

mod property;

use super::*;
use crate::{
    digest::{Algorithm, EntryDigest},
    layout::StorageLayout,
};

fn md5(text: &str) -> String {
    Algorithm::Md5.hash(text.as_bytes()).to_string()
}

/// A manifest around the JSON of its contents.
fn with_contents(contents: &str) -> String {
    format!(
        r#"{{"version":1,"storagePolicy":"wandb-storage-policy-v1","storagePolicyConfig":{{"storageLayout":"V2"}},"contents":{{{contents}}}}}"#
    )
}

fn read(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::from_json(text.as_bytes())
}

/// Pairs of paths and contents as the text of `contents`.
fn files(pairs: &[(&str, &str)]) -> String {
    let entries: Vec<_> = pairs
        .iter()
        .map(|(path, content)| {
            format!(
                r#"{}:{{"digest":"{}","size":{}}}"#,
                serde_json::to_string(path).unwrap(),
                md5(content),
                content.len()
            )
        })
        .collect();
    entries.join(",")
}

#[test]
fn digests_of_manifests_are_those_of_the_official_client() {
    let references = format!(
        r#""ref/x.bin":{{"digest":"9a0364b9e99bb480dd25e1f0284c8555","ref":"s3://bucket/x.bin","size":7,
            "extra":{{"etag":"9a0364b9e99bb480dd25e1f0284c8555","versionID":"3"}}}},
           "u":{{"digest":"https://example.com/a","ref":"https://example.com/a","size":0}},
           "other.txt":{{"digest":"{}","ref":"wandb-artifact://41727469666163743a31/1.txt","size":0}}"#,
        md5("o")
    );
    let xxh128 = ["a", "b"].map(|content| {
        format!(
            r#""{content}.bin":{{"digest":"{}","size":1,"extra":{{"alg":"XXH128"}}}}"#,
            Algorithm::Xxh128.hash(content.as_bytes())
        )
    });
    let order = [
        ("b.txt", "b"),
        ("B.txt", "B"),
        ("a/z", "z"),
        ("a-z", "-"),
        ("a", "a"),
    ];
    let unicode = [
        ("日本/ü.txt", "u"),
        ("é", "e"),
        ("\u{1f600}.bin", "s"),
        ("\u{ffee}", "h"),
        ("z", "z"),
    ];
    let vectors = [
        (
            String::new(),
            "64e7c61456b10382e2f3b571ac24b659",
            "f13c5dd8602ab5d18a0c87ce730a735e",
            0,
        ),
        (
            files(&order),
            "502ac871824c5480e7831a04ece10d3c",
            "0cad906d047bf0e50a7cf60b9e86fa1e",
            5,
        ),
        (
            files(&unicode),
            "92de2e05db40fb111d74daa1160a5126",
            "04c010147261343233684b87f6fda5ad",
            5,
        ),
        (
            references,
            "d00c23de0bfa14423c1be4b62d316c1e",
            "359a8d1be54b8457aa39ce27a4d6a7bd",
            7,
        ),
        (
            xxh128.join(","),
            "b019b1c0a8e55d26534e0fca8f75dae5",
            "8c2aede1b1b04a488c390c675c101e4a",
            2,
        ),
    ];
    for (contents, by_md5, by_xxh128, size) in vectors {
        let manifest = read(&with_contents(&contents)).unwrap();
        assert_eq!(manifest.digest_by(Algorithm::Md5).to_string(), by_md5);
        assert_eq!(manifest.digest_by(Algorithm::Xxh128).to_string(), by_xxh128);
        let of_its_files = if contents.contains("alg") {
            by_xxh128
        } else {
            by_md5
        };
        assert_eq!(manifest.digest().to_string(), of_its_files);
        assert_eq!(manifest.size(), size);
        assert_eq!(
            read(&String::from_utf8(manifest.to_json()).unwrap()).unwrap(),
            manifest
        );
    }
}

#[test]
fn every_member_is_read_and_what_is_unknown_survives() {
    let text = r#"
      {"contents": {
         "z": {"size": 3.0, "digest": "kAFQmDzST7DWlj99KOF/cg==", "birthArtifactID": "QQ==",
               "local_path": "/home/me/secret", "skip_cache": true, "new": [1, NaN, "\u00e9"]},
         "a\/\u00e9": {"digest": "etag", "ref": "s3://b/k", "extra": {"etag": "\"x\"", "rate": -Infinity}},
         "m": {"digest": "BrBatnM6YYV4r1+UiS85UA==", "size": null, "ref": null, "extra": {"alg": "XXH128", "more": 1}}
       },
       "storagePolicyConfig": {"storageRegion": "eu", "storageLayout": "V1", "tier": {"hot": true}},
       "storagePolicy": "wandb-storage-policy-v1",
       "writer": "go", "version": 1}  "#;
    let manifest = read(text).unwrap();
    assert_eq!(manifest.layout(), StorageLayout::V1);
    assert_eq!(manifest.region(), Some("eu"));
    let paths: Vec<_> = manifest.iter().map(ManifestEntry::path).collect();
    assert_eq!(paths, ["a/é", "m", "z"]);
    let [reference, hashed, file] = manifest.entries() else {
        panic!("three entries")
    };
    assert_eq!(reference.digest(), &EntryDigest::Opaque("etag".into()));
    assert_eq!(reference.address(), Some("s3://b/k"));
    assert_eq!(reference.extra().get("etag").unwrap().as_str(), Some("\"x\""));
    assert_eq!(hashed.content_digest(), Some(Algorithm::Xxh128.hash(b"abc")));
    assert_eq!((hashed.size(), hashed.is_reference()), (None, false));
    assert_eq!(file.content_digest(), Some(Algorithm::Md5.hash(b"abc")));
    assert_eq!((file.size(), file.birth_artifact_id()), (Some(3), Some("QQ==")));
    let written = String::from_utf8(manifest.to_json()).unwrap();
    for kept in [
        r#""new":[1, NaN, "\u00e9"]"#,
        r#""tier":{"hot": true}"#,
        r#""writer":"go""#,
        r#"{"alg": "XXH128", "more": 1}"#,
        "-Infinity",
    ] {
        assert!(written.contains(kept), "{kept} in {written}");
    }
    assert!(!written.contains("secret") && !written.contains("skip_cache"));
    assert_eq!(read(&written).unwrap(), manifest);
}

#[test]
fn entries_made_here_note_their_algorithm() {
    let entry = ManifestEntry::file("x", Algorithm::Xxh128.hash(b"abc"), 3);
    assert_eq!(entry.extra_text(), Some(r#"{"alg":"XXH128"}"#));
    let extra = wandb_core::value::Map::from_iter([("note".to_owned(), "n".into())]);
    let entry = entry.with_extra(extra.clone());
    assert_eq!(entry.extra_text(), Some(r#"{"note":"n","alg":"XXH128"}"#));
    let mut wrong = extra;
    wrong.insert("alg", "XXH128");
    let entry = ManifestEntry::file("x", Algorithm::Md5.hash(b"abc"), 3).with_extra(wrong);
    assert_eq!(entry.extra().get("alg").unwrap().as_str(), Some("MD5"));
    let value = serde_json::to_value(&entry).unwrap();
    assert_eq!(value["path"], "x");
    assert_eq!(value["ref"], serde_json::Value::Null);
}

#[test]
fn references_that_nobody_looked_at_are_told() {
    let unchecked = ManifestEntry::reference("a", "s3://b/k", "s3://b/k");
    let by_address = ManifestEntry::reference("a", "file:///x", md5("file:///x"));
    let checked = ManifestEntry::reference("a", "file:///x", md5("content"));
    assert!(unchecked.is_unchecked_reference() && by_address.is_unchecked_reference());
    assert!(!checked.is_unchecked_reference());
    assert!(checked.content_digest().is_some());
}

#[test]
fn entries_are_found_and_changed_in_order() {
    let digest = Algorithm::Md5.hash(b"");
    let mut manifest = Manifest::new();
    for path in ["m/b", "m/a", "z", "a", "m", "m-x", "n"] {
        assert!(manifest.insert(ManifestEntry::file(path, digest, 0)).is_none());
    }
    let old = manifest.insert(ManifestEntry::file("m", digest, 9)).unwrap();
    assert_eq!(old.size(), Some(0));
    let paths = |entries: &[ManifestEntry]| -> Vec<String> {
        entries.iter().map(|entry| entry.path().to_owned()).collect()
    };
    assert_eq!(
        paths(manifest.entries()),
        ["a", "m", "m-x", "m/a", "m/b", "n", "z"]
    );
    assert_eq!(paths(manifest.with_prefix("m/")), ["m/a", "m/b"]);
    assert_eq!(paths(manifest.with_prefix("m")), ["m", "m-x", "m/a", "m/b"]);
    assert_eq!(paths(manifest.with_prefix("zz")), Vec::<String>::new());
    assert_eq!(manifest.with_prefix("").len(), 7);
    assert_eq!(manifest.get("m").unwrap().size(), Some(9));
    assert!(manifest.get("m/c").is_none());
    assert_eq!(manifest.remove("m").unwrap().size(), Some(9));
    assert!(manifest.remove("m").is_none());
    let twice = vec![
        ManifestEntry::file("b", digest, 0),
        ManifestEntry::file("a", digest, 0),
        ManifestEntry::file("b", digest, 1),
    ];
    assert_eq!(&*Manifest::new().with_entries(twice).unwrap_err().path, "b");
}

/// A short name for each error, to tell them apart in a table.
fn name_of(error: &ManifestError) -> &'static str {
    match error {
        ManifestError::Read { .. } => "read",
        ManifestError::Structure { .. } => "structure",
        ManifestError::Json { .. } => "json",
        ManifestError::Encoding { .. } => "encoding",
        ManifestError::TooLarge { .. } => "too large",
        ManifestError::Missing { .. } => "missing",
        ManifestError::Repeated { .. } => "repeated",
        ManifestError::Type { .. } => "type",
        ManifestError::Version { .. } => "version",
        ManifestError::StoragePolicy { .. } => "policy",
        ManifestError::StorageLayout { .. } => "layout",
        ManifestError::Algorithm { .. } => "algorithm",
        ManifestError::Digest { .. } => "digest",
        ManifestError::DuplicatePath { .. } => "duplicate",
    }
}

#[test]
fn what_is_wrong_is_told_apart() {
    let config = r#""storagePolicyConfig":{}"#;
    let policy = r#""storagePolicy":"wandb-storage-policy-v1""#;
    let whole = |members: &[&str]| format!("{{{}}}", members.join(","));
    let digest = r#""digest":"kAFQmDzST7DWlj99KOF/cg==""#;
    let entry = |members: &str| with_contents(&format!(r#""p":{{{members}}}"#));
    let table: Vec<(String, &str)> = vec![
        (String::new(), "structure"),
        ("[]".into(), "structure"),
        ("null".into(), "structure"),
        (r#"{"version":1"#.into(), "structure"),
        (r#"{"version""#.into(), "structure"),
        (r#"{"version":1}"#.into(), "missing"),
        (r#"{"version":}"#.into(), "json"),
        (r#"{"version":1 1}"#.into(), "structure"),
        (with_contents("") + "x", "structure"),
        (whole(&[policy, config, r#""contents":{}"#]), "missing"),
        (whole(&[r#""version":1"#, config, r#""contents":{}"#]), "missing"),
        (whole(&[r#""version":1"#, policy, r#""contents":{}"#]), "missing"),
        (whole(&[r#""version":1"#, policy, config]), "missing"),
        (whole(&[r#""version":2"#, policy, config]), "version"),
        (whole(&[r#""version":"1""#, policy, config]), "version"),
        (whole(&[r#""version":1"#, r#""storagePolicy":"x""#]), "policy"),
        (whole(&[r#""storagePolicy":7"#]), "type"),
        (
            whole(&[r#""storagePolicyConfig":{"storageLayout":"V3"}"#]),
            "layout",
        ),
        (whole(&[r#""storagePolicyConfig":[]"#]), "json"),
        (whole(&[r#""storagePolicyConfig":{"storageRegion":1}"#]), "type"),
        (whole(&[policy, policy]), "repeated"),
        (whole(&[r#""contents":{}"#, r#""contents":{}"#]), "repeated"),
        (whole(&[r#""contents":[]"#]), "structure"),
        (entry(""), "missing"),
        (entry(r#""digest":null"#), "missing"),
        (entry(r#""digest":5"#), "type"),
        (entry(r#""digest":"abc""#), "digest"),
        (entry(r#""digest":"9a0364b9e99bb480dd25e1f0284c8555""#), "digest"),
        (entry(&format!(r#"{digest},"size":-1"#)), "type"),
        (entry(&format!(r#"{digest},"size":1.5"#)), "type"),
        (entry(&format!(r#"{digest},"size":99999999999999999999"#)), "type"),
        (entry(&format!(r#"{digest},"size":"3""#)), "type"),
        (entry(&format!(r#"{digest},"extra":[]"#)), "type"),
        (
            entry(&format!(r#"{digest},"extra":{{"alg":"SHA256"}}"#)),
            "algorithm",
        ),
        (entry(&format!(r#"{digest},"ref":{{}}"#)), "type"),
        (entry(&format!("{digest},{digest}")), "repeated"),
        (entry(&format!("{digest},\"size\":01")), "json"),
        (entry(&format!("{digest},\"a\":nul")), "json"),
        (with_contents(r#""p":[]"#), "json"),
        (with_contents(r#""p":3"#), "json"),
        (with_contents(r#"p:{}"#), "structure"),
        (with_contents(&format!(r#""p":{{{digest}}},"#)), "structure"),
        (
            with_contents(&format!(r#""p":{{{digest}}},"q":{{{digest}}},"p":{{{digest}}}"#)),
            "duplicate",
        ),
        (
            with_contents(&format!(r#""\u0070":{{{digest}}},"p":{{{digest}}}"#)),
            "duplicate",
        ),
        (
            entry(&format!(r#"{digest},"extra":{{"a":{}}}"#, "[".repeat(500))),
            "too large",
        ),
        (
            entry(&format!(r#"{digest},"x":"{}""#, "x".repeat(300_000))),
            "too large",
        ),
        (
            with_contents(&format!(r#""{}":{{{digest}}}"#, "p".repeat(5_000))),
            "too large",
        ),
        (
            with_contents(&format!(r#""{}":{{{digest}}}"#, "p".repeat(50_000))),
            "too large",
        ),
    ];
    for (text, expected) in &table {
        let error = read(text).expect_err(text);
        assert_eq!(name_of(&error), *expected, "{error} for {text:.200}");
        let message = error.to_string();
        assert!(message.len() < 400, "{message}");
        let converted = Error::from(error);
        assert_eq!(converted.kind(), ErrorKind::Protocol);
        assert_eq!(converted.to_string().matches("manifest").count().min(1), 1);
    }
    let not_utf8 = with_contents(r#""p":{"digest":"?"}"#)
        .replace('?', "\u{1}")
        .into_bytes();
    let not_utf8: Vec<u8> = not_utf8
        .into_iter()
        .map(|byte| if byte == 1 { 0xff } else { byte })
        .collect();
    assert_eq!(name_of(&Manifest::from_json(&not_utf8).unwrap_err()), "encoding");
}

#[test]
fn unknown_algorithms_do_not_hurt_references() {
    let text = with_contents(r#""p":{"digest":"x","ref":"s3://b/k","extra":{"alg":"SHA256"}}"#);
    let manifest = read(&text).unwrap();
    assert_eq!(
        manifest.get("p").unwrap().digest(),
        &EntryDigest::Opaque("x".into())
    );
}

/// Gives the JSON of a manifest with very many entries, and counts what was taken.
struct Endless {
    piece: Vec<u8>,
    at: usize,
    entries: u64,
    taken: u64,
}

impl Endless {
    fn new() -> Self {
        let head = with_contents("");
        Self {
            piece: head.into_bytes()[..]
                .split(|byte| *byte == b'}')
                .next()
                .unwrap()
                .to_vec(),
            at: 0,
            entries: 0,
            taken: 0,
        }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            let open = if self.entries == 0 {
                r#"},"contents":{"#
            } else {
                ","
            };
            self.piece = format!(
                r#"{open}"file-{}":{{"digest":"1B2M2Y8AsgTpgAmY7PhCfg==","size":0}}"#,
                self.entries
            )
            .into_bytes();
            self.at = 0;
            self.entries += 1;
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        self.taken += count as u64;
        Ok(count)
    }
}

#[test]
fn endless_manifests_are_left_at_the_limit() {
    let mut endless = Endless::new();
    let limits = Limits {
        entries: 10_000,
        ..Limits::default()
    };
    let error = Manifest::read(&mut endless, &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the manifest has too many entries, more than the limit of 10000"
    );
    assert!(endless.entries < 10_010, "{}", endless.entries);
    let mut endless = Endless::new();
    let limits = Limits {
        bytes: 100_000,
        ..Limits::default()
    };
    let error = Manifest::read(&mut endless, &limits).unwrap_err();
    assert_eq!(name_of(&error), "too large");
    assert!(endless.taken < 300_000, "{}", endless.taken);
}

#[test]
fn an_entry_in_memory_is_small() {
    assert!(size_of::<ManifestEntry>() <= 80, "{}", size_of::<ManifestEntry>());
}
