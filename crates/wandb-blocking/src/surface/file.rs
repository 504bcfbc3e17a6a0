//! Files of a run.

use bytes::Bytes;
use wandb_core::Result;
use wandb_models::{DownloadedFile, FileDownloadOptions};

use crate::mirror::{mirror, plain};

plain!(Bytes, DownloadedFile);

mirror! {
    File {
        async fn download(&self, options: &FileDownloadOptions) -> Result<DownloadedFile>;
        async fn bytes(&self, limit: usize) -> Result<Bytes>;
        async fn delete(&self) -> Result<()>;
    }
    Files {
        fn names(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self;
        fn pattern(self, pattern: impl Into<String>) -> Self;
    }
}
