//! Who is asking: API keys on requests.
