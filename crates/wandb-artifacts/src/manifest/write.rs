//! From a manifest to JSON.

use std::io::{self, Write};

use super::{Manifest, ManifestEntry, policy::STORAGE_POLICY};

/// Bytes that are written at once.
const PIECE: usize = 64 * 1024;

pub(super) fn manifest(manifest: &Manifest, mut writer: impl Write) -> io::Result<()> {
    let mut out = Vec::with_capacity(PIECE + 1024);
    out.extend_from_slice(b"{\"version\":1,\"storagePolicy\":");
    string(&mut out, STORAGE_POLICY);
    out.extend_from_slice(b",\"storagePolicyConfig\":{\"storageLayout\":");
    string(&mut out, manifest.layout.name());
    if let Some(region) = &manifest.region {
        out.extend_from_slice(b",\"storageRegion\":");
        string(&mut out, region);
    }
    unknown(&mut out, &manifest.unknown_config);
    out.extend_from_slice(b"},\"contents\":{");
    for (place, entry) in manifest.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_entry(&mut out, entry);
        if out.len() >= PIECE {
            writer.write_all(&out)?;
            out.clear();
        }
    }
    out.push(b'}');
    unknown(&mut out, &manifest.unknown);
    out.push(b'}');
    writer.write_all(&out)?;
    writer.flush()
}

fn write_entry(out: &mut Vec<u8>, entry: &ManifestEntry) {
    string(out, entry.path());
    out.extend_from_slice(b":{\"digest\":");
    string(out, &entry.digest().to_string());
    if let Some(address) = entry.address() {
        out.extend_from_slice(b",\"ref\":");
        string(out, address);
    }
    if let Some(id) = entry.birth_artifact_id() {
        out.extend_from_slice(b",\"birthArtifactID\":");
        string(out, id);
    }
    if let Some(size) = entry.size() {
        write!(out, ",\"size\":{size}").expect("writing to memory does not fail");
    }
    if let Some(extra) = entry.extra_text() {
        out.extend_from_slice(b",\"extra\":");
        out.extend_from_slice(extra.as_bytes());
    }
    for (name, text) in entry.unknown() {
        member(out, name, text);
    }
    out.push(b'}');
}

fn unknown(out: &mut Vec<u8>, members: &[(Box<str>, Box<str>)]) {
    for (name, text) in members {
        member(out, name, text);
    }
}

fn member(out: &mut Vec<u8>, name: &str, text: &str) {
    out.push(b',');
    string(out, name);
    out.push(b':');
    out.extend_from_slice(text.as_bytes());
}

fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text can always be written to memory");
}
