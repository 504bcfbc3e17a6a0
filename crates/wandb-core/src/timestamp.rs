//! Times as the server writes them.
