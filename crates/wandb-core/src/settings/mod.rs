//! Settings layers and credentials.
