//! A transport that follows a script, for tests of whatever stands above the seam.
//!
//! `transport.rs` keeps the script, `expectation.rs` is the builder of one step, `matcher.rs` compares a request with it,
//! `request.rs` is what was sent and `response.rs` what is answered.

mod expectation;
mod matcher;
mod request;
mod response;
mod transport;

#[cfg(test)]
mod tests;

pub use expectation::Expectation;
pub use request::RecordedRequest;
pub use response::ScriptedResponse;
pub use transport::ScriptedTransport;
