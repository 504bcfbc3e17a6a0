//! Large files in parts (protocol §5.5).

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use tokio::sync::Semaphore;
use wandb_core::{
    Error, Result,
    client::{Client, Put},
    redact::SafeUrl,
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

/// How many parts of one file are sent at once, if the [bodies](Multipart::bodies) of other files leave room for them.
const AT_ONCE: usize = 6;

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

/// One file in parts, several at once. What an interrupted upload under the same id has put is not put again.
pub(super) struct Multipart<'a> {
    pub(super) client: &'a Client,
    pub(super) target: &'a dyn UploadTarget,
    pub(super) file: &'a LocalFile,
    pub(super) slot: &'a UploadSlot,
    pub(super) parts: &'a [PartDigest],
    pub(super) part_size: u64,
    pub(super) journal: Option<UploadJournal>,
    pub(super) progress: &'a Arc<dyn Progress>,
    /// How many bodies of all files may be on their way.
    pub(super) bodies: &'a Semaphore,
}

/// Parts in the order in which they arrived.
type Journal = Arc<Mutex<Option<UploadJournal>>>;

impl Multipart<'_> {
    /// Puts the parts that are missing, and joins all. Gives how many bytes were sent. The first part that fails ends the
    /// others; those that had arrived are in the journal.
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
        let mut missing = Vec::new();
        for ((number, url), part) in places.parts.iter().zip(self.parts) {
            match self.journal.as_ref().and_then(|journal| journal.tag(*number)) {
                Some(tag) => {
                    tags.push((*number, tag.to_owned()));
                    self.progress.advance(self.range_of(*number).1);
                }
                None => missing.push((part, url)),
            }
        }
        let journal: Journal = Arc::new(Mutex::new(self.journal.take()));
        let mut puts: Vec<futures_util::future::BoxFuture<'_, Result<(u32, String)>>> = Vec::new();
        for &(part, url) in &missing {
            puts.push(Box::pin(self.part(part, url, content_type.as_ref(), &journal)));
        }
        let sent: Vec<(u32, String)> = stream::iter(puts).buffer_unordered(AT_ONCE).try_collect().await?;
        tags.extend(sent);
        tags.sort_unstable();
        let completed = CompletedMultipart {
            birth_artifact_id: self.slot.birth_artifact_id.clone(),
            storage_path,
            upload_id: places.upload_id.clone(),
            parts: tags,
        };
        self.target.complete_multipart(&completed).await?;
        blocking(move || {
            if let Some(journal) = lock(&journal).take() {
                journal.remove();
            }
            Ok(())
        })
        .await?;
        let sizes = missing.iter().map(|(part, _)| self.range_of(part.number).1);
        Ok(sizes.sum())
    }

    /// Where a part begins, and how long it is.
    fn range_of(&self, number: u32) -> (u64, u64) {
        let offset = u64::from(number.saturating_sub(1)) * self.part_size;
        (offset, self.part_size.min(self.file.size.saturating_sub(offset)))
    }

    /// Puts one part and gives its entity tag, which is in the journal by then.
    async fn part(
        &self,
        part: &PartDigest,
        url: &SafeUrl,
        content_type: Option<&HeaderValue>,
        journal: &Journal,
    ) -> Result<(u32, String)> {
        let (path, number) = (&self.file.path, part.number);
        let digest = ContentDigest::new(Algorithm::Md5, part.md5);
        let source = self.file.source.clone();
        let section = Section::new(source, self.range_of(number), digest, self.progress);
        let mut headers = HeaderMap::new();
        let md5 = HeaderValue::try_from(STANDARD.encode(part.md5)).expect("Base64 is a header's value");
        headers.insert("content-md5", md5);
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        let put = Put::new(url.clone(), format!("upload part {number} of {path:?}")).headers(headers);
        let answer = {
            let _body = super::engine::room(self.bodies).await?;
            section.put(self.client, &put).await?
        };
        let tag = answer
            .get(http::header::ETAG)
            .and_then(|tag| tag.to_str().ok())
            .ok_or_else(|| {
                Error::protocol(format!(
                    "the store gave no entity tag for part {number} of {path:?}"
                ))
            })?
            .to_owned();
        let (journal, noted) = (Arc::clone(journal), tag.clone());
        blocking(move || match &mut *lock(&journal) {
            Some(journal) => journal.note(number, &noted),
            None => Ok(()),
        })
        .await?;
        Ok((number, tag))
    }
}

fn lock(journal: &Mutex<Option<UploadJournal>>) -> std::sync::MutexGuard<'_, Option<UploadJournal>> {
    // A line is written as a whole or cut off, which is noticed.
    journal.lock().unwrap_or_else(PoisonError::into_inner)
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
