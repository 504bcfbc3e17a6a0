//! The promises of the folder: checked before published, nothing left behind, nothing deleted that is in use.

use std::collections::BTreeSet;
use std::fs;
use std::future::Future as _;
use std::io;
use std::task::{Context, Waker};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use md5::Digest as _;

use super::*;

fn open() -> (tempfile::TempDir, BlobStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = BlobStore::open(&folder.path().join("files")).unwrap();
    (folder, store)
}

fn body(bytes: &[u8], block: usize) -> impl futures_util::Stream<Item = io::Result<Bytes>> + use<> {
    let blocks: Vec<_> = bytes
        .chunks(block.max(1))
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    stream::iter(blocks)
}

fn digest(bytes: &[u8]) -> Md5Digest {
    Md5Digest::new(md5::Md5::digest(bytes).into())
}

fn incoming(store: &BlobStore) -> usize {
    fs::read_dir(store.incoming()).unwrap().count()
}

async fn read(store: &BlobStore, digest: Md5Digest, range: Option<std::ops::Range<u64>>) -> Option<Vec<u8>> {
    let blob = store.read(digest).await.unwrap()?;
    let range = range.unwrap_or(0..blob.size());
    let blocks: Vec<Bytes> = blob.stream(range).await.unwrap().try_collect().await.unwrap();
    Some(blocks.concat())
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 7 + index / 251) as u8).collect()
}

#[tokio::test]
async fn bytes_come_back_as_they_went_in() {
    let (_folder, store) = open();
    for length in [0, 1, 1000, 3 << 20] {
        let bytes = noise(length);
        let stored = store
            .put(body(&bytes, 100_003), Expected::default())
            .await
            .unwrap();
        assert_eq!((stored.digest, stored.size), (digest(&bytes), length as u64));
        assert_eq!(read(&store, stored.digest, None).await.unwrap(), bytes);
    }
    assert_eq!(incoming(&store), 0);
    let bytes = noise(3 << 20);
    let part = read(&store, digest(&bytes), Some(1_000_000..2_500_001))
        .await
        .unwrap();
    assert_eq!(part, &bytes[1_000_000..2_500_001]);
    assert!(store.read(digest(b"something else")).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_announced_must_be_true() {
    let (_folder, store) = open();
    let bytes = noise(1000);
    let md5 = |md5| Expected {
        md5: Some(md5),
        size: Some(1000),
        ..Expected::default()
    };
    let wrong = store
        .put(body(&bytes, 10), md5(digest(b"other")))
        .await
        .unwrap_err();
    assert!(matches!(wrong, BlobError::Digest { .. }), "{wrong}");
    let short = store
        .put(
            body(&bytes, 10),
            Expected {
                size: Some(1001),
                ..Expected::default()
            },
        )
        .await
        .unwrap_err();
    assert!(matches!(
        short,
        BlobError::Size {
            expected: 1001,
            found: 1000
        }
    ));
    assert!(store.read(digest(&bytes)).await.unwrap().is_none());
    store.put(body(&bytes, 10), md5(digest(&bytes))).await.unwrap();
    assert_eq!(incoming(&store), 0);
}

#[tokio::test]
async fn broken_and_abandoned_uploads_leave_nothing() {
    let (_folder, store) = open();
    let broken = body(&noise(2 << 20), 1 << 16).chain(stream::iter([Err(io::Error::other("reset"))]));
    assert!(matches!(
        store.put(broken, Expected::default()).await,
        Err(BlobError::Body(_))
    ));
    {
        let endless = body(&noise(2 << 20), 1 << 16).chain(stream::pending());
        let mut put = Box::pin(store.put(endless, Expected::default()));
        // Every block is ready at once, so what is left is the wait for a block that never comes.
        while incoming(&store) == 0 {
            assert!(
                put.as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
            tokio::task::yield_now().await;
        }
    }
    while incoming(&store) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.iter().unwrap().count(), 0);
}

#[tokio::test]
async fn opening_removes_unfinished_uploads_and_keeps_blobs() {
    let (folder, store) = open();
    let stored = store.put_bytes(Bytes::from_static(b"kept")).unwrap();
    fs::write(store.incoming().join("left-over"), b"half").unwrap();
    let store = BlobStore::open(&folder.path().join("files")).unwrap();
    assert_eq!(incoming(&store), 0);
    assert_eq!(read(&store, stored.digest, None).await.unwrap(), b"kept");
}

#[tokio::test]
async fn deletes_only_what_no_upload_relies_on() {
    let (_folder, store) = open();
    let first = store.put_bytes(Bytes::from_static(b"x")).unwrap();
    let second = store.put_bytes(Bytes::from_static(b"x")).unwrap();
    let digest = first.digest;
    drop(first);
    store.delete(digest).unwrap();
    assert!(
        store.read(digest).await.unwrap().is_some(),
        "the second upload is still on its way"
    );
    drop(second);
    store.delete(digest).unwrap();
    assert!(store.read(digest).await.unwrap().is_none());
    store.delete(digest).unwrap();
}

#[tokio::test]
async fn a_truncated_blob_is_replaced_by_the_next_upload() {
    let (_folder, store) = open();
    let digest = store.put_bytes(Bytes::from_static(b"whole")).unwrap().digest;
    fs::write(store.path(digest), b"who").unwrap();
    store.put_bytes(Bytes::from_static(b"whole")).unwrap();
    assert_eq!(read(&store, digest, None).await.unwrap(), b"whole");
}

#[test]
fn lists_every_blob_and_nothing_else() {
    let (_folder, store) = open();
    let expected: BTreeSet<Md5Digest> = (0..50_u8)
        .map(|byte| store.put_bytes(Bytes::copy_from_slice(&[byte])).unwrap().digest)
        .collect();
    fs::write(
        store.path(*expected.first().unwrap()).with_file_name("README"),
        b"",
    )
    .unwrap();
    assert_eq!(
        store
            .iter()
            .unwrap()
            .collect::<io::Result<BTreeSet<_>>>()
            .unwrap(),
        expected
    );
}

#[test]
fn digests_have_two_spellings() {
    let empty = digest(b"");
    assert_eq!(empty.to_string(), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(empty.to_base64(), "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(Md5Digest::from_hex(&empty.to_string()), Some(empty));
    assert_eq!(Md5Digest::from_base64(&empty.to_base64()), Some(empty));
    for text in [
        "",
        "d41d8cd98f00b204e9800998ecf8427",
        "D41D8CD98F00B204E9800998ECF8427E",
        "../d8cd98f00b204e9800998ecf84",
    ] {
        assert_eq!(Md5Digest::from_hex(text), None, "{text}");
    }
    assert_eq!(Md5Digest::from_base64("AAAA"), None);
}

#[tokio::test]
async fn bytes_can_be_declared_by_their_xxh128() {
    let (_folder, store) = open();
    // Of "hello", by the reference implementation (Python: xxhash.xxh128).
    let hello = Xxh128Digest::from_hex("b5e9c1ad071b3e7fc779cfaa5e523818").unwrap();
    let declared = Expected {
        xxh128: Some(hello),
        ..Expected::default()
    };
    let stored = store.put(body(b"hello", 2), declared).await.unwrap();
    assert_eq!(stored.digest, digest(b"hello"), "named by its MD5");
    let wrong = store.put(body(b"hallo", 2), declared).await.unwrap_err();
    assert!(
        matches!(
            wrong,
            BlobError::Digest {
                algorithm: "XXH128",
                ..
            }
        ),
        "{wrong}"
    );
    assert_eq!(incoming(&store), 0);
}
