//! The real `wb`, run as a process, against `wb serve` on loopback and against servers that misbehave.

mod support;

mod bad_input;
mod bad_server;
mod demo;
mod login;
mod read;
mod serve;
