//! A version that is being put together: files, references, what a base version has. Feature `transfer`.
//!
//! ```no_run
//! # async fn example() -> wandb_core::Result<()> {
//! use wandb_artifacts::draft::{AddOptions, Draft};
//!
//! let mut draft = Draft::default();
//! draft.add_directory("model/", None, &AddOptions::default()).await?;
//! draft.add_bytes("notes.txt", "trained on cats", &AddOptions::default())?;
//! println!("{} files, digest {}", draft.manifest().len(), draft.digest());
//! # Ok(()) }
//! ```

mod add;
mod model;
mod references;
#[cfg(any(feature = "s3", feature = "gs", feature = "azure"))]
mod stored;
mod walk;

pub use add::AddOptions;
pub use model::Draft;
pub use references::ReferenceOptions;

#[cfg(test)]
mod tests;
