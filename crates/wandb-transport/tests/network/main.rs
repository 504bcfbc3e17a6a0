//! The hyper transport against real sockets on loopback: tiny servers and proxies that each test starts for itself.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not seen as tests by the lint"
)]

mod bodies;
mod connections;
mod proxies;
mod requests;
mod servers;
mod tls;
