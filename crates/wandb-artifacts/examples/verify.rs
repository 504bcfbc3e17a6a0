//! Checks a folder against a manifest file: `cargo run --example verify -- FOLDER MANIFEST`. With `--make` instead of a
//! manifest file it prints a manifest of the folder.

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write as _},
};

use wandb_artifacts::{
    Limits, Manifest, ManifestEntry, VerifyOptions,
    digest::{Algorithm, hash_reader},
    verify,
};
use wandb_storage::{Directory, EntryKind, Walked};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, manifest] = &arguments[..] else {
        return Err("two arguments were expected: FOLDER and MANIFEST, or FOLDER and --make".into());
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    if manifest == "--make" {
        return Ok(make(folder)?.write(&mut out)?);
    }
    let manifest = Manifest::read(File::open(manifest)?, &Limits::default())?;
    let verification = verify(folder, &manifest, &VerifyOptions::default())?;
    writeln!(out, "{verification}")?;
    out.flush()?;
    verification.into_result()?;
    Ok(())
}

fn make(folder: &str) -> Result<Manifest, Box<dyn Error>> {
    let mut paths = Vec::new();
    Directory::existing(folder)?.walk(&mut |walked| {
        if let Walked::Entry { path, kind, .. } = walked
            && kind == EntryKind::File
        {
            paths.push(path.to_owned());
        }
        true
    });
    let mut entries = Vec::new();
    for path in paths {
        let file = File::open(std::path::Path::new(folder).join(&path))?;
        let (digest, size) = hash_reader(Algorithm::Md5, file)?;
        entries.push(ManifestEntry::file(path, digest, size));
    }
    Ok(Manifest::new().with_entries(entries)?)
}
