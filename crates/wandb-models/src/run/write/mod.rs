//! Writing runs (inventory 1.5, 1.7, protocol §2.7): creating, changing, ending them, their console and files.
//!
//! | module | what it holds |
//! |---|---|
//! | `create` | a new run |
//! | `edit` | field-level patches, and what they are worth on which server |
//! | `change`, `state` | the pure half of it: members that change, and what of a run can change |
//! | `summary` | the summary as a map |
//! | `lifecycle` | delete, stop, set the state, wait for the end |
//! | `upload`, `metadata`, `console` | files to a run, its metadata, its console lines |

mod change;
mod console;
mod create;
mod edit;
#[cfg(test)]
mod edit_tests;
mod lifecycle;
#[cfg(test)]
mod lifecycle_tests;
mod metadata;
mod state;
mod summary;
#[cfg(test)]
mod tests;
mod upload;

pub use console::{ConsoleLogLine, ConsoleLogs};
pub use create::NewRun;
pub use edit::RunEdit;
pub use lifecycle::{UpdatableState, WaitOptions};
pub use summary::RunSummary;
