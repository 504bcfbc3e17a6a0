//! The `.npz` format: a zip archive of `.npy` files.

use std::io::{Cursor, Read};

use bytes::Bytes;
use zip::ZipArchive;

use super::{ArrayError, NdArray};

/// Reads one array of an archive; at most `limit` bytes are unpacked, whatever the archive claims.
///
/// # Errors
/// When there is none of that name, it is larger, damaged, or has elements that are not read.
pub(in crate::media) fn read_npz(archive: &[u8], key: &str, limit: u64) -> Result<NdArray, ArrayError> {
    let mut archive = ZipArchive::new(Cursor::new(archive))?;
    let file = archive.by_name(&format!("{key}.npy"))?;
    let mut unpacked = Vec::new();
    // One byte more than the limit tells that it is passed. The checksum is compared at the end.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(ArrayError::Unpack)?;
    NdArray::parse(&Bytes::from(unpacked), limit)
}
