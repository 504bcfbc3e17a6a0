//! The user behind the key.

use serde::Serialize;
use wandb_schema::operations::viewer as wire;

use crate::listing;

/// The user behind the API key (protocol §2.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Viewer {
    /// The opaque id.
    pub id: String,
    /// The full name.
    pub name: String,
    /// The login name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the user administers the server.
    pub admin: bool,
    /// The entity that is meant where none is named.
    pub entity: Option<String>,
    /// The names of the teams, as far as they are visible.
    pub teams: Vec<String>,
    /// How many more teams the server tells of without showing them. It is not serialised: the official object has no such
    /// member.
    #[serde(skip)]
    pub hidden_teams: u64,
}

impl Viewer {
    pub(crate) fn from_wire(wire: wire::Viewer) -> Self {
        let teams = wire.teams.map(|teams| teams.edges).unwrap_or_default();
        let (teams, hidden_teams) = listing::shown(teams.into_iter().map(|edge| edge.node));
        Self {
            id: wire.id.into_inner(),
            name: wire.name,
            username: wire.username,
            email: wire.email,
            admin: wire.admin.unwrap_or(false),
            entity: wire.entity.filter(|name| !name.is_empty()),
            teams: teams.into_iter().map(|team| team.name).collect(),
            hidden_teams,
        }
    }
}
