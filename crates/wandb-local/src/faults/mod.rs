//! Failures on request, for tests of clients.
//!
//! A [`FaultPlan`] holds [`FaultRule`]s. A rule says which requests it looks at, which of those it strikes, and what
//! happens to them. Plans are deterministic: the same requests in the same order meet the same faults, whatever the
//! machine. The server puts the plan before everything else, authentication and rate limit included.
//!
//! | module | what it holds |
//! |---|---|
//! | `rule` | one rule, and its text form |
//! | `plan` | the rules of a server and what they did so far |
//! | `inject` | the middleware that does it |
//! | `body` | bodies that are cut, slowed or damaged |

mod body;
mod inject;
mod plan;
mod rule;
#[cfg(test)]
mod tests;

pub(crate) use inject::{ConnectionLost, inject};
pub use plan::{FaultCount, FaultPlan};
pub use rule::{FaultEffect, FaultParseError, FaultRule, FaultTrigger};
