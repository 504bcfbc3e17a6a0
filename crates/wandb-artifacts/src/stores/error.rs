//! What stores answer, as our errors.

use wandb_core::{Error, ErrorKind};

const REFUSED: &str = "the object store refused or could not be reached";

/// The error of a store. Its text may hold the store's answer, and no signature.
pub(crate) fn failed(error: object_store::Error) -> Error {
    let kind = match &error {
        object_store::Error::NotFound { .. } => ErrorKind::NotFound,
        object_store::Error::Precondition { .. } => ErrorKind::Integrity,
        object_store::Error::PermissionDenied { .. } => ErrorKind::NotVisible,
        object_store::Error::Unauthenticated { .. } => ErrorKind::Authentication,
        object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. } => {
            ErrorKind::Unsupported
        }
        _ => ErrorKind::Server,
    };
    Error::new(kind, REFUSED).with_source(error)
}

/// The error of a request that we sent ourselves: what it says of keys would be of W&B's.
pub(super) fn refused(error: Error) -> Error {
    let refused = Error::new(error.kind(), REFUSED);
    let refused = match error.status() {
        Some(status) => refused.with_status(status),
        None => refused,
    };
    refused.with_source(error)
}

/// An answer that is none.
pub(super) fn unreadable(what: &str) -> Error {
    Error::protocol(format!("the object store's {what} cannot be read"))
}
