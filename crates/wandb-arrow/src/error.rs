//! From the errors of Arrow, Parquet and the disk to the one of the client.

use std::{io, path::Path};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use wandb_core::{Error, ErrorKind};
use wandb_storage::StorageError;

/// A failed operation on a file: kind, hint and text are those of every other local file of the client.
pub(crate) fn io_failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    StorageError::Io {
        action,
        path: path.to_owned(),
        source,
    }
    .into()
}

/// What the Arrow library refused. The disk's errors come separately, see [`of_arrow`].
pub(crate) fn arrow_failed(what: &str, error: ArrowError) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {what}")).with_source(error)
}

/// An error of the Arrow library about a file.
pub(crate) fn of_arrow(action: &'static str, path: &Path, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => io_failed(action, path, source),
        error => arrow_failed(&format!("{action} {path:?}"), error),
    }
}

/// An error of the Parquet library about a file.
pub(crate) fn of_parquet(action: &'static str, path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => io_failed(action, path, *source),
            Err(source) => Error::new(ErrorKind::Io, format!("cannot {action} {path:?}"))
                .with_source(ParquetError::External(source)),
        },
        error => Error::new(ErrorKind::Io, format!("cannot {action} {path:?}")).with_source(error),
    }
}
