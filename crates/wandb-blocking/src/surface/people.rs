//! Users and teams.

use wandb_core::Result;
use wandb_models::{NewApiKey, TeamMember, User};

use crate::mirror::{mirror, plain};

plain!(NewApiKey, TeamMember, User);

mirror! {
    Team {
        async fn reload(&self) -> Result<Self>;
        async fn invite(&self, username_or_email: &str, admin: bool) -> Result<()>;
        async fn remove_member(&self, member: &TeamMember) -> Result<()>;
        async fn create_service_account(&self, description: &str) -> Result<TeamMember>;
    }
    Users {}
}
