//! The GraphQL schema, code first.
