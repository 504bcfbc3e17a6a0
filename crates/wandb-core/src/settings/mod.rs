//! Settings and credentials, in the official order, from text and pairs that the caller has read.
//!
//! Nothing here opens a file or reads the environment. A program reads what [`SettingsFiles::locations`] names, makes a
//! [`Layer`] of each, and calls [`Settings::resolve`]; every value then says where it came from.
//!
//! | item | what it is for |
//! |---|---|
//! | [`ENVIRONMENT_VARIABLES`] | every environment variable that is known, with its meaning |
//! | [`SettingsFiles`] | where the files are |
//! | [`Layer`], [`SettingKey`] | raw settings of one place |
//! | [`Settings`], [`Credentials`], [`Origin`] | the settings that count, and their provenance |
//! | [`netrc`], [`ini`] | the two file formats, read and written |
//! | [`parse_size`] | sizes as people type them |
//!
//! ```
//! use wandb_core::settings::{Layer, SettingKey, Settings};
//!
//! let settings = Settings::resolve(
//!     [
//!         Layer::from_user_settings("settings", "[default]\nentity = team\nbase_url = http://localhost:8080\n")?,
//!         Layer::from_environment([("WANDB_ENTITY", "other-team")]),
//!         Layer::explicit().with(SettingKey::Project, "cats"),
//!     ],
//!     None,
//! )?;
//! assert_eq!(settings.base_url.value.as_str(), "http://localhost:8080");
//! assert_eq!(settings.entity.unwrap().origin.to_string(), "the environment variable WANDB_ENTITY");
//! # Ok::<(), wandb_core::settings::SettingsError>(())
//! ```

mod credentials;
mod environment;
mod error;
pub mod ini;
mod layer;
mod locations;
pub mod netrc;
mod resolve;
mod size;

pub use credentials::{Credentials, NetrcText, SettingsWarning};
pub use environment::{ENVIRONMENT_VARIABLES, EnvironmentVariable, environment_variable};
pub use error::{InvalidValue, SettingsError};
pub use layer::{Layer, Origin, SettingKey, Sourced};
pub use locations::SettingsFiles;
pub use resolve::{ProxySettings, Settings};
pub use size::parse_size;

#[cfg(test)]
mod tests;
