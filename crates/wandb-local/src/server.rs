//! Starting, addressing and stopping the embedded server.
