//! Sort keys.
