//! Everything that touches SQLite.
