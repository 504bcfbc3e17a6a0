//! The network-free core of the Weights & Biases data client.
//!
//! Everything here is either pure (text in, typed value out) or generic over [`wandb_transport::Transport`], so it runs
//! over anyone's HTTP stack, in tests without any, and never reads the environment, the disk, the clock or a random
//! source by itself: those are passed in.
//!
//! | module | what it is for |
//! |---|---|
//! | [`error`] | the one error type of the client: kind, operation, attempts, hints, source |
//! | [`value`] | JSON as W&B writes it: bare `NaN` and infinities, exact integers, keys in order |
//! | [`settings`] | settings layers and credentials in the official order, netrc, settings files |
//! | [`secret`], [`redact`] | API keys, tokens and URLs that cannot be printed by accident |
//! | [`base_url`] | the API host, the browser host, and the one decision on where credentials may go |
//! | [`path`] | project, run, sweep and report paths, web URLs, and safe relative file names |
//! | [`timestamp`] | times as the server writes them |
//! | [`filter`], [`order`], [`query_generator`] | the filter language, sort keys, report filters |
//! | [`page`] | every listing is one paginator: a stream of pages, a stream of items |
//! | [`retry`] | the retry policy (pure) and the loop that applies it |
//! | [`graphql`] | GraphQL requests and answers, pure |
//! | [`client`] | joins them to a transport: GraphQL calls and byte fetches, with retries and the credential's scope |

pub mod base_url;
pub mod client;
pub mod error;
pub mod filter;
pub mod graphql;
pub mod order;
pub mod page;
pub mod path;
pub mod query_generator;
pub mod redact;
pub mod retry;
pub mod secret;
pub mod settings;
pub mod timestamp;
pub mod value;

pub use client::Client;
pub use error::{Error, ErrorKind, Result};
pub use value::Value;
