//! Fragments that several resources use.

use crate::schema;

/// Where a page ends (protocol §2.3).
#[derive(cynic::QueryFragment, Debug, Clone)]
pub struct PageInfo {
    /// Whether there is another page.
    pub has_next_page: bool,
    /// The cursor to go on from.
    pub end_cursor: Option<String>,
}

/// The user of a run or project.
#[derive(cynic::QueryFragment, Debug, Clone)]
#[cynic(graphql_type = "User")]
pub struct UserSummary {
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
}
