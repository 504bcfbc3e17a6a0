//! Names of artifacts: collections, types, versions, aliases, tags, whole names and addresses (inventory §2.3, §2.5).
//!
//! | item | what it is for |
//! |---|---|
//! | [`ArtifactName`], [`ArtifactPath`] | a name as people write it, and the same with nothing left out |
//! | [`Selector`], [`Version`], [`Alias`] | which version of a collection |
//! | [`CollectionName`], [`TypeName`], [`Tag`] | checked parts |
//! | [`ArtifactReference`], [`ClientReference`], [`ArtifactAddress`] | the `wandb-artifact://` family |
//!
//! Reading is lenient and creating is strict: `new` takes what a server may hold, `check_new` what a new thing may have.
//!
//! ```
//! use wandb_artifacts::name::{ArtifactName, Selector, Version};
//!
//! let name: ArtifactName = "team/cats/model:v3".parse()?;
//! assert_eq!(name.collection().as_str(), "model");
//! assert_eq!(name.selector(), &Selector::Version(Version(3)));
//! assert_eq!(name.to_string(), "team/cats/model:v3");
//! # Ok::<(), wandb_artifacts::name::ArtifactNameError>(())
//! ```

mod address;
mod artifact;
mod error;
mod part;
mod web;

pub use address::{ArtifactAddress, ArtifactReference, ClientReference};
pub use artifact::{ArtifactName, ArtifactPath, Selector};
pub use error::{AddressError, ArtifactNameError, ArtifactNameProblem, PartError, PartProblem};
pub use part::{Alias, CollectionName, MAXIMUM_LENGTH, Tag, TypeName, Version};

#[cfg(test)]
mod tests;
