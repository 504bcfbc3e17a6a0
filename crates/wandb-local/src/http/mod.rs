//! The HTTP face of the server: routes and middleware.

mod auth;
mod bytes;
mod file_stream;
mod graphql;
