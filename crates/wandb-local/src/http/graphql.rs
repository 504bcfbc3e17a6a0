//! `POST /graphql`.
