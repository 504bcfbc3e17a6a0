//! GraphQL over HTTP, pure: how a request is written and how an answer is read (protocol §2.1, §6).

mod request;
mod response;

pub use request::Operation;
pub use response::{GraphqlError, error_of_answer, read_answer};
