//! Which parts of a large file are with the server, for the next process after a kill.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
};

use wandb_core::{
    Error, Result,
    path::{RelativePath, safe_relative_path},
};
use wandb_storage::Directory;

use crate::digest::ContentDigest;

/// The longest journal that is read, in bytes: 10,000 parts.
const LONGEST: u64 = 4 << 20;

/// The parts of one upload, which the server knows by an id. The journal of another id is begun anew.
#[derive(Debug)]
pub(super) struct UploadJournal {
    directory: Directory,
    name: RelativePath,
    file: File,
    tags: BTreeMap<u32, String>,
}

impl UploadJournal {
    pub(super) fn open(
        directory: &Directory,
        digest: &ContentDigest,
        upload_id: &str,
        size: u64,
        part: u64,
    ) -> Result<Self> {
        let name = safe_relative_path(&format!(
            "{}-{}.upload",
            digest.algorithm().folder(),
            digest.hex()
        ))?;
        let mut file = directory.open_record(&name)?;
        let mut text = Vec::new();
        let failed = |error| Error::io(format!("use {:?}", directory.path_of(&name)), error);
        Read::by_ref(&mut file)
            .take(LONGEST)
            .read_to_end(&mut text)
            .map_err(failed)?;
        let head = format!("wb-upload 1 {size} {part} {upload_id:?}");
        let tags = read(&text, &head);
        if tags.is_none() {
            file.set_len(0)
                .and_then(|()| file.seek(SeekFrom::Start(0)))
                .and_then(|_| file.write_all(format!("{head}\n").as_bytes()))
                .map_err(failed)?;
        }
        Ok(Self {
            directory: directory.clone(),
            tags: tags.unwrap_or_default(),
            name,
            file,
        })
    }

    /// The entity tag of a part that is with the server.
    pub(super) fn tag(&self, number: u32) -> Option<&str> {
        self.tags.get(&number).map(String::as_str)
    }

    pub(super) fn note(&mut self, number: u32, tag: &str) -> Result<()> {
        // A tag with a line break is no header's value.
        let line = format!("{number} {tag}\n");
        self.file
            .seek(SeekFrom::End(0))
            .and_then(|_| self.file.write_all(line.as_bytes()))
            .map_err(|error| Error::io(format!("write {:?}", self.directory.path_of(&self.name)), error))?;
        self.tags.insert(number, tag.to_owned());
        Ok(())
    }

    /// The file is complete.
    pub(super) fn remove(self) {
        // One that stays is of an upload that the server does not know any more.
        let _ = self.directory.remove(&self.name);
    }
}

fn read(text: &[u8], head: &str) -> Option<BTreeMap<u32, String>> {
    // A last line without its end was cut off by a kill.
    let end = text.iter().rposition(|&byte| byte == b'\n')?;
    let mut lines = std::str::from_utf8(&text[..end]).ok()?.split('\n');
    if lines.next()? != head {
        return None;
    }
    lines
        .map(|line| {
            let (number, tag) = line.split_once(' ')?;
            Some((number.parse().ok()?, tag.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;

    #[test]
    fn parts_are_remembered_for_the_same_upload_only() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::create(root.path()).unwrap();
        let digest = Algorithm::Md5.hash(b"x");
        let open = |id: &str| UploadJournal::open(&directory, &digest, id, 10, 4).unwrap();
        let mut journal = open("id 1\n");
        journal.note(2, "\"tag\"").unwrap();
        journal.file.write_all(b"3 cut").unwrap();
        assert_eq!(open("id 1\n").tag(2), Some("\"tag\""));
        assert_eq!(open("id 1\n").tag(3), None);
        assert_eq!(open("id 2").tag(2), None);
        assert_eq!(open("id 1\n").tag(2), None, "it was begun anew");
        open("id 1\n").remove();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
