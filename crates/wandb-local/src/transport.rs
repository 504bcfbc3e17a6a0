//! The embedded server as a transport with no socket.
