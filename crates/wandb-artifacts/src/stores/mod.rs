//! Object stores: S3, Google Cloud Storage, Azure. Features `s3`, `gs`, `azure`.
//!
//! The crate `object_store` signs and retries; what goes on the network goes through the caller's transport, as everything does
//! (decision 0019). Credentials of stores come from the settings that the caller passes, never from the environment behind
//! their back, and nothing of W&B's goes to a store.
//!
//! | module | what it is for |
//! |---|---|
//! | `settings` | [`ObjectStores`]: how to get at stores, in the names of their usual environment variables |
//! | `open` | one bucket, open: looking at an object, listing below a prefix, getting bytes |
//! | `recorded` | the object that a manifest's entry recorded, current or older |
//! | `s3`, `azure`, `google` | listings of versions, which `object_store` does not have, and Google's own entity tags |
//! | `xml` | the answers of S3 and Azure as flat records |
//! | `connector` | our transport in the place of the stores' HTTP client |

#[cfg(feature = "azure")]
mod azure;
mod connector;
mod error;
#[cfg(feature = "gs")]
mod google;
mod open;
mod recorded;
#[cfg(feature = "s3")]
mod s3;
mod settings;
#[cfg(any(feature = "s3", feature = "azure"))]
mod xml;

pub(crate) use error::failed;
pub(crate) use open::Stored;
pub(crate) use recorded::Recorded;
pub use settings::ObjectStores;
