//! Large files in parts (protocol §5.5).

use std::io::{self, Read};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use wandb_core::{
    Error, Result,
    client::{Client, Put},
};

use super::{
    body::{Section, changed},
    journal::UploadJournal,
    source::{LocalFile, LocalSource},
    target::{CompletedMultipart, MultipartSlot, PartDigest, UploadSlot, UploadTarget},
};
use crate::{
    digest::{Algorithm, ContentDigest, Hasher},
    transfer::{Progress, blocking::blocking},
};

/// How many parts a file may have.
const MOST_PARTS: u64 = 10_000;

/// Parts of larger files grow by this, in bytes.
const ROUND: u64 = 4_096;

/// Buffer of reads, in bytes.
const BUFFER: usize = 256 << 10;

/// How long the parts of a file of this size are: the wanted length, or as much as keeps them few enough.
pub(super) fn part_size(size: u64, wanted: u64) -> u64 {
    let wanted = wanted.max(1);
    if size.div_ceil(wanted) <= MOST_PARTS {
        wanted
    } else {
        size.div_ceil(MOST_PARTS).div_ceil(ROUND) * ROUND
    }
}

/// Hashes the parts of a file, and the whole once more.
pub(super) async fn hash_parts(file: &LocalFile, part: u64) -> Result<Vec<PartDigest>> {
    let file = file.clone();
    blocking(move || {
        let (path, mut reader): (_, Box<dyn Read>) = match &file.source {
            LocalSource::Bytes(bytes) => (None, Box::new(io::Cursor::new(bytes.clone()))),
            LocalSource::File(path) => {
                let opened = wandb_storage::open_ordinary(path)
                    .map_err(|error| Error::io(format!("open {path:?}"), error))?;
                (Some(path.clone()), Box::new(opened))
            }
        };
        let path = path.unwrap_or_default();
        let mut whole = Hasher::new(file.digest.algorithm());
        let mut parts = Vec::new();
        let mut buffer = vec![0; BUFFER];
        let mut left = file.size;
        while left > 0 {
            let mut hasher = Hasher::new(Algorithm::Md5);
            let mut of_part = left.min(part);
            left -= of_part;
            while of_part > 0 {
                let want = usize::try_from(of_part).unwrap_or(BUFFER).min(BUFFER);
                reader
                    .read_exact(&mut buffer[..want])
                    .map_err(|error| match error.kind() {
                        io::ErrorKind::UnexpectedEof => changed(&path),
                        _ => Error::io(format!("read {path:?}"), error),
                    })?;
                hasher.update(&buffer[..want]);
                whole.update(&buffer[..want]);
                of_part -= want as u64;
            }
            parts.push(PartDigest {
                number: u32::try_from(parts.len() + 1).unwrap_or(u32::MAX),
                md5: *hasher.finish().bytes(),
            });
        }
        if whole.finish() != file.digest {
            return Err(changed(&path));
        }
        Ok(parts)
    })
    .await
}

/// One file, part by part. What an interrupted upload under the same id has put is not put again.
pub(super) struct Multipart<'a> {
    pub(super) client: &'a Client,
    pub(super) target: &'a dyn UploadTarget,
    pub(super) file: &'a LocalFile,
    pub(super) slot: &'a UploadSlot,
    pub(super) parts: &'a [PartDigest],
    pub(super) part_size: u64,
    pub(super) journal: Option<UploadJournal>,
    pub(super) progress: &'a dyn Progress,
}

impl Multipart<'_> {
    /// Puts the parts that are missing, and joins all. Gives how many bytes were sent.
    pub(super) async fn run(mut self, places: &MultipartSlot) -> Result<u64> {
        let path = &self.file.path;
        let numbers = places.parts.iter().map(|(number, _)| *number);
        if !numbers.eq(self.parts.iter().map(|part| part.number)) {
            return Err(Error::protocol(format!(
                "the server gave other parts of {path:?} than were asked for"
            )));
        }
        let storage_path = self.slot.storage_path.clone().ok_or_else(|| {
            Error::protocol(format!(
                "the server gave parts of {path:?} and no place to join them"
            ))
        })?;
        let content_type = super::engine::headers_of(self.slot)?.remove(CONTENT_TYPE);
        let mut tags = Vec::with_capacity(self.parts.len());
        let mut sent = 0;
        for ((number, url), part) in places.parts.iter().zip(self.parts) {
            let offset = u64::from(number - 1) * self.part_size;
            let length = self.part_size.min(self.file.size - offset);
            if let Some(tag) = self.journal.as_ref().and_then(|journal| journal.tag(*number)) {
                tags.push((*number, tag.to_owned()));
                self.progress.advance(length);
                continue;
            }
            let digest = ContentDigest::new(Algorithm::Md5, part.md5);
            let section = Section::new(self.file.source.clone(), offset, length, digest);
            let mut headers = HeaderMap::new();
            let md5 = HeaderValue::try_from(STANDARD.encode(part.md5)).expect("Base64 is a header's value");
            headers.insert("content-md5", md5);
            if let Some(content_type) = &content_type {
                headers.insert(CONTENT_TYPE, content_type.clone());
            }
            let put = Put::new(url.clone(), format!("upload part {number} of {path:?}")).headers(headers);
            let answer = self
                .client
                .put(&put, || section.body())
                .await
                .map_err(|error| section.take_fault().unwrap_or(error))?;
            let tag = answer
                .get(http::header::ETAG)
                .and_then(|tag| tag.to_str().ok())
                .ok_or_else(|| {
                    Error::protocol(format!(
                        "the store gave no entity tag for part {number} of {path:?}"
                    ))
                })?
                .to_owned();
            sent += length;
            self.progress.advance(length);
            if let Some(mut journal) = self.journal.take() {
                let (number, tag) = (*number, tag.clone());
                self.journal = Some(
                    blocking(move || {
                        journal.note(number, &tag)?;
                        Ok(journal)
                    })
                    .await?,
                );
            }
            tags.push((*number, tag));
        }
        let completed = CompletedMultipart {
            birth_artifact_id: self.slot.birth_artifact_id.clone(),
            storage_path,
            upload_id: places.upload_id.clone(),
            parts: tags,
        };
        self.target.complete_multipart(&completed).await?;
        if let Some(journal) = self.journal.take() {
            blocking(move || {
                journal.remove();
                Ok(())
            })
            .await?;
        }
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_few() {
        let (mib, gib) = (1 << 20, 1 << 30);
        assert_eq!(part_size(2 * gib, 100 * mib), 100 * mib);
        let large = 5 << 40;
        let part = part_size(large, 100 * mib);
        assert!(large.div_ceil(part) <= MOST_PARTS && part.is_multiple_of(ROUND));
    }
}
