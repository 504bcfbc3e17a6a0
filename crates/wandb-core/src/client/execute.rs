//! GraphQL calls and the one retry loop.

use std::{future::Future, pin::pin};

use futures_util::future::{Either, select};
use serde::de::DeserializeOwned;
use wandb_transport::Body;

use super::Client;
use crate::{
    Error, ErrorKind, Result,
    graphql::{self, Operation},
    retry::{self, Decision, Repeat},
};

impl Client {
    /// Sends an operation and reads its answer, with retries.
    ///
    /// # Errors
    /// As [`graphql::read_answer`], or when the server cannot be reached within the policy's budget.
    pub async fn execute<T: DeserializeOwned>(&self, operation: &Operation) -> Result<T> {
        self.with_retries(operation.repeat(), operation.description(), || {
            self.execute_once(operation)
        })
        .await
    }

    async fn execute_once<T: DeserializeOwned>(&self, operation: &Operation) -> Result<T> {
        let inner = &*self.inner;
        let mut request = operation.to_request(&inner.graphql_url)?;
        self.add_headers(&inner.graphql_url, request.headers_mut());
        let answer = inner.transport.send(request.map(Body::from)).await?;
        let (head, body) = answer.into_parts();
        self.note_rate_limit(&head.headers);
        let body = body.collect(inner.answer_limit).await.map_err(|error| {
            // A broken body is repeated like a lost connection, whatever the status said.
            let too_large = error.kind() == wandb_transport::TransportErrorKind::BodyTooLarge;
            let error = Error::from(error);
            if too_large {
                error.with_hint("ask for smaller pages or fewer keys")
            } else {
                error
            }
        })?;
        graphql::read_answer(head.status, &head.headers, &body, inner.runtime.unix_seconds())
    }

    pub(super) fn note_rate_limit(&self, headers: &http::HeaderMap) {
        if let Some(pause) = retry::rate_limit_pause(headers) {
            self.inner.limiter.pause(self.inner.runtime.now(), pause);
        }
    }

    /// Runs attempts until one succeeds, the policy gives up, or the call's time is over.
    pub(super) async fn with_retries<T, F, R>(
        &self,
        repeat: Repeat,
        description: &str,
        attempt: F,
    ) -> Result<T>
    where
        F: Fn() -> R,
        R: Future<Output = Result<T>>,
    {
        let runtime = &*self.inner.runtime;
        let started = runtime.now();
        let tried = std::sync::atomic::AtomicU32::new(0);
        let attempts = async {
            loop {
                let pause = self.inner.limiter.wait(runtime.now());
                if runtime.now().saturating_sub(started).saturating_add(pause) > self.inner.policy.max_elapsed
                {
                    return Err(Error::new(
                        ErrorKind::RateLimited,
                        "the server's rate limit leaves no room in the time given",
                    )
                    .with_retry_after(Some(pause)));
                }
                if !pause.is_zero() {
                    runtime.sleep(pause).await;
                }
                let number = tried.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                let result = attempt().await;
                let elapsed = runtime.now().saturating_sub(started);
                let error = match result {
                    Ok(answer) => {
                        tracing::debug!(
                            operation = description,
                            attempt = number,
                            ?elapsed,
                            "request answered"
                        );
                        return Ok(answer);
                    }
                    Err(error) => error,
                };
                match self
                    .inner
                    .policy
                    .decide(&error, repeat, number, elapsed, runtime.random())
                {
                    Decision::GiveUp => return Err(error),
                    Decision::After(delay) => {
                        tracing::debug!(
                            operation = description,
                            attempt = number,
                            status = error.status(),
                            kind = %error.kind(),
                            ?elapsed,
                            ?delay,
                            "request failed and is repeated"
                        );
                        if error.status() == Some(429) {
                            // All tasks of this client wait, not only the one that was told to.
                            self.inner
                                .limiter
                                .pause(runtime.now(), error.retry_after().unwrap_or(delay));
                        }
                        runtime.sleep(delay).await;
                    }
                }
            }
        };
        let result = match self.timeout {
            None => attempts.await,
            Some(timeout) => match select(pin!(attempts), pin!(runtime.sleep(timeout))).await {
                Either::Left((result, _)) => result,
                Either::Right(_) => Err(Error::new(
                    ErrorKind::Timeout,
                    format!("no result within {:.1} s", timeout.as_secs_f64()),
                )),
            },
        };
        result.map_err(|error| {
            let error = match error.status() {
                // Without a key the refusal is no fault of the key.
                Some(401) if !self.is_authorized() => Error::new(
                    ErrorKind::Authentication,
                    format!("no API key is set for {}", self.inner.base_url.netrc_machine()),
                )
                .with_status(401)
                .with_hint("log in, or set WANDB_API_KEY"),
                _ => error,
            };
            let tried = tried.load(std::sync::atomic::Ordering::Relaxed);
            error
                .with_masked_texts(&|text| self.inner.own_secrets.mask(text))
                .in_operation(description)
                .with_attempts(tried, runtime.now().saturating_sub(started))
        })
    }
}
