//! Manifests of every kind, made at random: right, damaged, hostile.

use std::io::{self, Read};

use proptest::prelude::*;

use crate::{
    digest::{Algorithm, ContentDigest},
    layout::StorageLayout,
    manifest::{Limits, Manifest, ManifestEntry},
};

/// A reader that gives few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn digests() -> impl Strategy<Value = ContentDigest> {
    (any::<[u8; 16]>(), any::<bool>())
        .prop_map(|(bytes, xxh128)| ContentDigest::new(Algorithm::ALL[usize::from(xxh128)], bytes))
}

fn entries() -> impl Strategy<Value = ManifestEntry> {
    let path = "\\PC{1,12}(/\\PC{1,8}){0,2}";
    let file = (path, digests(), any::<u64>(), prop::option::of("\\PC{1,8}")).prop_map(
        |(path, digest, size, id)| {
            let entry = ManifestEntry::file(path, digest, size);
            match id {
                Some(id) => entry.with_birth_artifact_id(id),
                None => entry,
            }
        },
    );
    let extra = prop::collection::vec(("\\PC{0,6}", any::<f64>(), "\\PC{0,6}"), 0..3);
    let scheme = prop::sample::select(vec!["s3", "file", "wandb-artifact", "x"]);
    let digest = prop_oneof![
        "\\PC{0,30}".boxed(),
        digests().prop_map(|digest| digest.to_string()).boxed()
    ];
    let reference =
        (path, scheme, "\\PC{0,10}", digest, extra).prop_map(|(path, scheme, address, digest, extra)| {
            let mut map = wandb_core::value::Map::new();
            for (name, number, text) in extra {
                map.insert(format!("n{name}"), number);
                map.insert(format!("t{name}"), text);
            }
            ManifestEntry::reference(path, format!("{scheme}://{address}"), digest).with_extra(map)
        });
    prop_oneof![file, reference]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn manifests_survive_writing_and_reading(
        entries in prop::collection::vec(entries(), 0..8),
        v1: bool,
        region in prop::option::of("\\PC{1,6}"),
        step in 1_usize..40,
    ) {
        let layout = if v1 { StorageLayout::V1 } else { StorageLayout::V2 };
        let mut manifest = Manifest::with_layout(layout, region.as_deref());
        for entry in entries {
            manifest.insert(entry);
        }
        let text = manifest.to_json();
        let again = Manifest::read(Slow(&text, step), &Limits::default()).unwrap();
        prop_assert_eq!(&again, &manifest);
        prop_assert_eq!(again.digest(), manifest.digest());
        prop_assert!(std::str::from_utf8(&text).is_ok());
    }

    /// Whatever is done to its text, a manifest is read or refused, and what is read can be written and read again.
    #[test]
    fn damaged_texts_are_read_or_refused(
        entries in prop::collection::vec(entries(), 1..5),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..5, any::<u8>()), 1..6),
    ) {
        let mut manifest = Manifest::new();
        for entry in entries {
            manifest.insert(entry);
        }
        let mut text = manifest.to_json();
        for (place, how, byte) in changes {
            let place = place.index(text.len());
            match how {
                0 => text[place] = byte,
                1 => text.truncate(place.max(1)),
                2 => text.insert(place, b"{}[]\",:\\0n"[usize::from(byte) % 10]),
                3 => { text.remove(place); }
                _ => {
                    let end = (place + usize::from(byte)).min(text.len());
                    let piece = text[place..end].to_vec();
                    text.extend(piece);
                }
            }
            if text.is_empty() {
                text.push(b' ');
            }
        }
        match Manifest::from_json(&text) {
            Ok(read) => {
                let written = read.to_json();
                prop_assert_eq!(Manifest::from_json(&written).unwrap(), read);
            }
            Err(error) => prop_assert!(error.to_string().len() < 1_000),
        }
    }

    /// Members of any type where others belong, at any depth: an error with a short text, or a manifest that survives.
    #[test]
    fn hostile_members_are_refused(
        members in prop::collection::vec((0_usize..6, json(), any::<bool>()), 0..7),
        entry in prop::collection::vec((0_usize..8, json(), any::<bool>()), 0..7),
    ) {
        let right = [
            ("version", "1".to_owned()),
            ("storagePolicy", r#""wandb-storage-policy-v1""#.to_owned()),
            ("storagePolicyConfig", "{}".to_owned()),
            ("contents", format!(r#"{{"p":{}}}"#, entry_text(&entry))),
            ("contents", "{}".to_owned()),
            ("other", "[NaN]".to_owned()),
        ];
        let mut parts = Vec::new();
        for (place, value, is_right) in &members {
            let (name, text) = &right[*place];
            let text = if *is_right { text } else { value };
            parts.push(format!("\"{name}\":{text}"));
        }
        let text = format!("{{{}}}", parts.join(","));
        let whole = format!(
            r#"{{"version":1,"storagePolicy":"wandb-storage-policy-v1","storagePolicyConfig":{{}},"contents":{{"p":{}}}}}"#,
            entry_text(&entry)
        );
        for text in [text, whole] {
            match Manifest::from_json(text.as_bytes()) {
                Ok(read) => prop_assert_eq!(Manifest::from_json(&read.to_json()).unwrap(), read),
                Err(error) => prop_assert!(error.to_string().len() < 1_000, "{}", error),
            }
        }
    }
}

fn entry_text(members: &[(usize, String, bool)]) -> String {
    let right = [
        ("digest", r#""kAFQmDzST7DWlj99KOF/cg==""#),
        ("size", "3"),
        ("ref", r#""s3://b/k""#),
        ("birthArtifactID", r#""QQ==""#),
        ("extra", r#"{"alg":"XXH128"}"#),
        ("local_path", r#""/x""#),
        ("skip_cache", "true"),
        ("other", "{}"),
    ];
    let parts: Vec<_> = members
        .iter()
        .map(|(place, value, is_right)| {
            let (name, text) = right[*place];
            let text = if *is_right { text } else { value };
            format!("\"{name}\":{text}")
        })
        .collect();
    format!("{{{}}}", parts.join(","))
}

/// Texts of JSON values, some of them only nearly.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e999",
        "-0",
        "01",
        "NaN",
        "-Infinity",
        "Infinity",
        "18446744073709551616",
        "\"\"",
        r#""V1""#,
        r#""\ud800""#,
        r#""\u0000""#,
        r#""a\/b""#,
        r#""MD5""#,
        "nul",
        "",
        "\"",
        "{",
        "]",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = prop::sample::select(vec!["alg", "storageLayout", "storageRegion", "digest", "", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((names, inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}
