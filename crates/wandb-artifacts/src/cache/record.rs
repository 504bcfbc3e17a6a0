//! One record of the index, as bytes.
//!
//! All records have one length, so that the place of the next one is known whatever became of this one.

use wandb_storage::{Algorithm, ContentDigest, FileStat};

use super::ObjectKey;

/// Bytes of a record.
pub(super) const LENGTH: usize = 104;

/// Where the check sum begins.
const SUM: usize = 96;

/// What was verified of an object, and when it was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proof {
    /// The digest of its bytes: the key's own, or for a referenced object what was fetched.
    pub(super) digest: ContentDigest,
    /// The object at the moment at which its digest was right.
    pub(super) stat: FileStat,
    /// In seconds since 1970.
    pub(super) last_use: u64,
    /// When its bytes were read to be verified, in seconds since 1970: reading for that is no use.
    pub(super) read_at: u64,
    /// As long as the bytes may not be on the disk, the run of the machine in which they were verified: in the next one the
    /// proof is none.
    pub(super) boot: Option<Boot>,
}

/// Tells one run of the machine from all others.
pub(super) type Boot = [u8; 16];

/// What a record says of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: ObjectKey,
    /// `None`: it was removed.
    pub(super) proof: Option<Proof>,
}

/// How the index begins, before the number that tells its writings apart.
const TITLE: &[u8] = b"wandb-artifacts cache index 1 ";

/// The first bytes of the index, as long as a record. Each time it is written anew it has another number.
pub(super) fn head(number: u64) -> [u8; LENGTH] {
    let mut head = [b' '; LENGTH];
    let end = TITLE.len() + 16;
    head[..TITLE.len()].copy_from_slice(TITLE);
    head[TITLE.len()..end].copy_from_slice(format!("{number:016x}").as_bytes());
    head[LENGTH - 1] = b'\n';
    head
}

/// Reads the number of [`head`].
pub(super) fn number_of(bytes: &[u8; LENGTH]) -> Option<u64> {
    let digits = bytes.strip_prefix(TITLE)?.get(..16)?;
    let number = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (*bytes == head(number)).then_some(number)
}

impl Record {
    /// `None` for a file from before 1678 or after 2262, whose times do not fit, and for a referenced object that may not be on
    /// the disk; those are read again.
    pub(super) fn encode(&self) -> Option<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        bytes[0] = u8::from(self.proof.is_some());
        match self.key {
            ObjectKey::Content(digest) => {
                bytes[1] = number(digest.algorithm());
                bytes[8..24].copy_from_slice(digest.bytes());
            }
            ObjectKey::Etag(key) => {
                bytes[1] = 2;
                bytes[8..40].copy_from_slice(&key);
            }
        }
        if let Some(proof) = &self.proof {
            match (self.key, proof.boot) {
                (_, None) => {}
                // A digest leaves this place free.
                (ObjectKey::Content(_), Some(boot)) => bytes[24..40].copy_from_slice(&boot),
                (ObjectKey::Etag(_), Some(_)) => return None,
            }
            bytes[2] = number(proof.digest.algorithm());
            bytes[4..8].copy_from_slice(&u32::try_from(proof.read_at).unwrap_or(0).to_le_bytes());
            bytes[40..56].copy_from_slice(proof.digest.bytes());
            bytes[56..64].copy_from_slice(&proof.stat.size.to_le_bytes());
            bytes[64..72].copy_from_slice(&i64::try_from(proof.stat.modified).ok()?.to_le_bytes());
            bytes[72..80].copy_from_slice(&i64::try_from(proof.stat.changed).ok()?.to_le_bytes());
            bytes[80..88].copy_from_slice(&proof.stat.inode.to_le_bytes());
            bytes[88..96].copy_from_slice(&proof.last_use.to_le_bytes());
        }
        let sum = sum(&bytes);
        bytes[SUM..].copy_from_slice(&sum);
        Some(bytes)
    }

    /// `None` for bytes that are no whole record.
    pub(super) fn decode(bytes: &[u8; LENGTH]) -> Option<Self> {
        if bytes[SUM..] != sum(bytes) {
            return None;
        }
        let array = |from: usize| -> [u8; 8] {
            bytes[from..from + 8]
                .try_into()
                .expect("eight bytes were cut out")
        };
        let digest = |from: usize, algorithm: u8| -> Option<ContentDigest> {
            let digest = bytes[from..from + 16].try_into().ok()?;
            Some(ContentDigest::new(algorithm_of(algorithm)?, digest))
        };
        let key = match bytes[1] {
            2 => ObjectKey::Etag(bytes[8..40].try_into().ok()?),
            algorithm => ObjectKey::Content(digest(8, algorithm)?),
        };
        let proof = match bytes[0] {
            0 => None,
            1 => Some(Proof {
                digest: digest(40, bytes[2])?,
                stat: FileStat {
                    size: u64::from_le_bytes(array(56)),
                    modified: i64::from_le_bytes(array(64)).into(),
                    changed: i64::from_le_bytes(array(72)).into(),
                    inode: u64::from_le_bytes(array(80)),
                },
                last_use: u64::from_le_bytes(array(88)),
                read_at: u64::from_le_bytes(array(0)) >> 32,
                boot: match key {
                    ObjectKey::Content(_) => {
                        Some(bytes[24..40].try_into().ok()?).filter(|boot| *boot != Boot::default())
                    }
                    ObjectKey::Etag(_) => None,
                },
            }),
            _ => return None,
        };
        // A proof of other bytes than the key's would be a lie, however it came to be.
        match (key.content(), proof) {
            (Some(wanted), Some(proof)) if proof.digest != wanted => None,
            _ => Some(Self { key, proof }),
        }
    }
}

fn sum(bytes: &[u8; LENGTH]) -> [u8; 8] {
    let digest = Algorithm::Xxh128.hash(&bytes[..SUM]);
    digest.bytes()[..8].try_into().expect("eight bytes were cut out")
}

fn number(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Md5 => 0,
        Algorithm::Xxh128 => 1,
    }
}

fn algorithm_of(number: u8) -> Option<Algorithm> {
    match number {
        0 => Some(Algorithm::Md5),
        1 => Some(Algorithm::Xxh128),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records() -> impl Strategy<Value = Record> {
        let stat = (any::<u64>(), any::<i64>(), any::<i64>(), any::<u64>()).prop_map(
            |(size, modified, changed, inode)| FileStat {
                size,
                modified: modified.into(),
                changed: changed.into(),
                inode,
            },
        );
        let content = (any::<[u8; 16]>(), any::<bool>())
            .prop_map(|(bytes, xxh128)| ContentDigest::new(Algorithm::ALL[usize::from(xxh128)], bytes));
        (
            content,
            prop::option::of(any::<[u8; 32]>()),
            prop::option::of((
                stat,
                any::<u64>(),
                any::<u32>(),
                prop::option::of(prop::array::uniform16(1_u8..)),
            )),
        )
            .prop_map(|(digest, etag, proof)| Record {
                key: etag.map_or(ObjectKey::Content(digest), ObjectKey::Etag),
                proof: proof.map(|(stat, last_use, read_at, boot)| Proof {
                    digest,
                    stat,
                    last_use,
                    read_at: read_at.into(),
                    boot: boot.filter(|_| etag.is_none()),
                }),
            })
    }

    #[test]
    fn heads_have_a_number() {
        for number in [0, 7, u64::MAX] {
            assert_eq!(number_of(&head(number)), Some(number));
        }
        assert_eq!(number_of(&[b' '; LENGTH]), None);
    }

    proptest! {
        #[test]
        fn records_survive_and_damage_is_seen(record in records(), place in 0..LENGTH, change in 1_u8..) {
            let mut bytes = record.encode().unwrap();
            prop_assert_eq!(Record::decode(&bytes), Some(record));
            prop_assert_eq!(number_of(&bytes), None);
            bytes[place] ^= change;
            prop_assert_eq!(Record::decode(&bytes), None);
        }
    }
}
