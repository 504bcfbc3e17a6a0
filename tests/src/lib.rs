//! The kit of the end-to-end tests in `tests/`: the library over the embedded server, the scripted transport, and what
//! both need.
//!
//! | module | what it holds |
//! |---|---|
//! | `server` | [`TestServer`]: an embedded server in this process, and clients for it |
//! | `writer` | [`Writer`]: logs a run over the wire, as the official SDK does |
//! | `object_store` | [`FakeStores`]: S3, Google and Azure on a socket of this machine |
//! | `observe` | [`Counting`]: a transport that notes what passes through it |
//! | `wire` | [`Wire`]: a transport that says where the key goes, and answers for other hosts |
//! | `artifact` | versions of artifacts, and what must be true of folders and caches at any moment |
//! | `clock` | [`FakeRuntime`]: sleeping takes no time and is written down |
//! | `encode` | JSON as the SDK writes it, with bare `NaN`: not the client's own printer, so that a mistake there shows |

mod artifact;
mod clock;
mod encode;
mod object_store;
mod observe;
mod server;
mod wire;
mod writer;

pub use artifact::{Files, assert_cache_is_true, assert_only_members, is_part, log_version, noise, walk};
pub use clock::FakeRuntime;
pub use encode::{encode, encode_row};
pub use object_store::{FakeStores, StoreRequest};
pub use observe::{Counting, Seen};
pub use server::{KEY, TestServer, sample, scripted_api};
pub use wire::{Passed, Wire};
pub use writer::{NewRun, Writer};

/// The programs of the guide to the library run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/library.md")]
struct LibraryGuide;

/// The programs of the guide to testing run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/testing.md")]
struct TestingGuide;

/// The program of the guide to the blocking client runs.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/blocking.md")]
struct BlockingGuide;
