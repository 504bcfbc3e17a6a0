//! Users and teams (inventory 1.10, protocol §2.5), as far as users who do not administer the server reach.
//!
//! The official methods give `False` or `None` for every refusal; here a refusal is an error that says so.

mod team;
#[cfg(test)]
mod tests;
mod user;

pub use team::{Team, TeamData, TeamMember};
pub use user::{ApiKeyLabel, NewApiKey, User, Users};
