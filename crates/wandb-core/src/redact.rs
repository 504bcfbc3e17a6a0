//! Redaction of URLs and headers.
