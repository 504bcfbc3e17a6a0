//! Being written by the owner of this module.
