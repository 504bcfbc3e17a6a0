//! The API host and the browser host.
