//! Checking a directory against a manifest, without any network.
//!
//! | item | what it is for |
//! |---|---|
//! | [`verify`], [`verify_directory`] | the check |
//! | [`VerifyOptions`], [`VerifyObserver`] | extra files, a part of the artifact, threads; progress and cancelling |
//! | [`Verification`] | everything that was found, not only the first fault |
//!
//! The directory is listed once, files are read in parallel, the largest first, and no symbolic link is followed.

mod check;
mod options;
mod report;
mod run;

pub use options::{VerifyObserver, VerifyOptions};
pub use report::{
    Changed, Extra, Unreadable, Verification, VerificationFailed, VerifyError, WrongSize, WrongType,
};
pub use run::{verify, verify_directory};

#[cfg(test)]
mod tests;
