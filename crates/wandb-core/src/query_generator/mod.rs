//! Report filters and keys.
