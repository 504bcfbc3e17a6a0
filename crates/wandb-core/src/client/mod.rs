//! The client: one transport, one base URL, one credential, one retry policy, one limiter, shared by every task.
//!
//! It joins the pure parts ([`graphql`](crate::graphql), [`retry`](crate::retry)) to a
//! [`Transport`]. Three ways out exist, and no other: [`Client::execute`] for GraphQL,
//! [`Client::fetch`] for bytes, and [`Client::put`] for bytes to a signed URL. The first two decide in one place whether the credential may go along:
//! [`BaseUrl::is_same_origin_and_under`].

mod builder;
mod execute;
mod fetch;
mod own_secrets;
mod put;

use std::{fmt, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, USER_AGENT},
};
use wandb_transport::Transport;

use crate::{
    base_url::BaseUrl,
    retry::{Limiter, RetryPolicy, Runtime},
};

use own_secrets::OwnSecrets;

pub use builder::ClientBuilder;
pub use fetch::{Fetch, Fetched};
pub use put::Put;

/// A handle to one server. Cloning it is cheap and shares everything.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    timeout: Option<Duration>,
}

struct Inner {
    transport: Arc<dyn Transport>,
    runtime: Arc<dyn Runtime>,
    base_url: BaseUrl,
    graphql_url: String,
    authorization: Option<HeaderValue>,
    user_agent: HeaderValue,
    extra_headers: HeaderMap,
    /// What no error may show, although a server or a proxy before it says it.
    own_secrets: OwnSecrets,
    policy: RetryPolicy,
    limiter: Limiter,
    answer_limit: usize,
}

impl Client {
    /// A client for a server, over a transport.
    pub fn builder(
        base_url: BaseUrl,
        transport: Arc<dyn Transport>,
        runtime: Arc<dyn Runtime>,
    ) -> ClientBuilder {
        ClientBuilder::new(base_url, transport, runtime)
    }

    /// The server's base URL.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.inner.base_url
    }

    /// Whether there is a credential.
    #[must_use]
    pub fn is_authorized(&self) -> bool {
        self.inner.authorization.is_some()
    }

    /// The clock and the rest of the outside.
    #[must_use]
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.inner.runtime
    }

    /// How often requests are repeated, and when: for callers that repeat more than one request.
    #[must_use]
    pub fn retry_policy(&self) -> &RetryPolicy {
        &self.inner.policy
    }

    /// Adds the headers of this client. Credential and extra headers go to URLs below the base URL only, and nothing that
    /// was configured takes the place of the credential.
    fn add_headers(&self, url: &str, headers: &mut HeaderMap) {
        let inner = &*self.inner;
        if inner.base_url.is_same_origin_and_under(url) {
            headers.extend(inner.extra_headers.clone());
            if let Some(value) = &inner.authorization {
                headers.insert(AUTHORIZATION, value.clone());
            }
        }
        self.add_user_agent(headers);
    }

    fn add_user_agent(&self, headers: &mut HeaderMap) {
        headers.insert(USER_AGENT, self.inner.user_agent.clone());
    }

    /// The same client, with each call ended after `timeout`, whatever is being waited for or retried. `None` leaves it
    /// to the retry policy and the transport's own timeouts, which is the default.
    ///
    /// Dropping a call's future cancels it, too.
    #[must_use]
    pub fn with_timeout(&self, timeout: Option<Duration>) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            timeout,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("base_url", &self.inner.base_url)
            .field("authorized", &self.is_authorized())
            .field("policy", &self.inner.policy)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
