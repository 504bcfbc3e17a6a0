//! Building a [`Client`].

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use wandb_transport::Transport;

use super::{Client, Inner, own_secrets::OwnSecrets};
use crate::{
    base_url::BaseUrl,
    retry::{Limiter, RetryPolicy, Runtime},
};

/// The real service shows some fields only to clients that it knows, by this prefix (users of other clients are told to
/// log in again), so the client says which official version it is compatible with, and then what it is.
const USER_AGENT: &str = concat!(
    "W&B Public Client 0.31.0 (wandb-api-rust ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// The largest GraphQL answer that is read into memory, in bytes. A page of 1,000 runs is about 10 MB.
const ANSWER_LIMIT: usize = 512 * 1024 * 1024;

/// Collects what a [`Client`] needs. Made by [`Client::builder`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    base_url: BaseUrl,
    transport: Arc<dyn Transport>,
    runtime: Arc<dyn Runtime>,
    authorization: Option<HeaderValue>,
    user_agent: HeaderValue,
    extra_headers: HeaderMap,
    policy: RetryPolicy,
    answer_limit: usize,
}

impl ClientBuilder {
    pub(super) fn new(base_url: BaseUrl, transport: Arc<dyn Transport>, runtime: Arc<dyn Runtime>) -> Self {
        Self {
            base_url,
            transport,
            runtime,
            authorization: None,
            user_agent: HeaderValue::from_static(USER_AGENT),
            extra_headers: HeaderMap::new(),
            policy: RetryPolicy::default(),
            answer_limit: ANSWER_LIMIT,
        }
    }

    /// The value of the `Authorization` header (see [`ApiKey::basic_authorization`](crate::secret::ApiKey)). It goes to
    /// the base URL's origin and path only.
    pub fn authorization(mut self, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.authorization = Some(value);
        self
    }

    /// Replaces the `User-Agent`.
    pub fn user_agent(mut self, value: HeaderValue) -> Self {
        self.user_agent = value;
        self
    }

    /// Headers for every request to the base URL, and to nowhere else: they may hold tokens.
    pub fn extra_headers(mut self, headers: HeaderMap) -> Self {
        self.extra_headers = headers;
        self
    }

    /// Replaces the retry policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The largest GraphQL answer that is read, in bytes; 512 MiB unless set.
    pub fn answer_limit(mut self, bytes: usize) -> Self {
        self.answer_limit = bytes;
        self
    }

    /// The client.
    #[must_use]
    pub fn build(self) -> Client {
        Client {
            inner: Arc::new(Inner {
                graphql_url: self.base_url.graphql_url(),
                base_url: self.base_url,
                transport: self.transport,
                runtime: self.runtime,
                own_secrets: OwnSecrets::of(self.authorization.as_ref(), &self.extra_headers),
                authorization: self.authorization,
                user_agent: self.user_agent,
                extra_headers: self.extra_headers,
                policy: self.policy,
                limiter: Limiter::default(),
                answer_limit: self.answer_limit,
            }),
            timeout: None,
        }
    }
}
