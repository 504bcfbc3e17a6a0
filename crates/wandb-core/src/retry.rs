//! Retry: a pure policy, and what it needs from outside.
//!
//! Only what is safe to repeat is repeated (see [`Repeat`]); delays are full jitter under a doubling cap; `Retry-After`
//! and the rate-limit headers are obeyed; and the budget is one of attempts *and* of time, whichever ends first
//! (protocol §1.5, §6.2). The official client tries 20 times whatever the caller wanted and then loses the real status.

use std::{fmt::Debug, sync::Mutex, time::Duration};

use async_trait::async_trait;
use http::HeaderMap;

use crate::{Error, ErrorKind};

/// What the core needs from the program around it: a clock, a way to wait, and chance.
///
/// `wandb-models` has one over tokio; tests pass one without time.
#[async_trait]
pub trait Runtime: Send + Sync + Debug {
    /// Time since any fixed moment; never goes back.
    fn now(&self) -> Duration;
    /// Waits.
    async fn sleep(&self, duration: Duration);
    /// A random number in `0.0..1.0`.
    fn random(&self) -> f64;
    /// Seconds since 1970, for `Retry-After` with a date.
    fn unix_seconds(&self) -> i64;
}

/// What may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// A read, or a write with the same effect once and twice: repeated on any passing failure.
    Always,
    /// A write that must not happen twice: repeated only where the server cannot have acted on it (no connection, or an
    /// explicit refusal by status 429).
    OnlyIfRefused,
}

/// How often and how long to try. The default suits interactive reads: 6 attempts within 60 seconds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Requests per call at most, the first included. 1 means no retry.
    pub max_attempts: u32,
    /// All attempts and waits of one call together.
    pub max_elapsed: Duration,
    /// The cap of the first delay; it doubles with each attempt.
    pub first_delay: Duration,
    /// The cap of any delay. A longer `Retry-After` is obeyed all the same, if the budget of time allows.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 6,
            max_elapsed: Duration::from_secs(60),
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(20),
        }
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Wait this long, then try again.
    After(Duration),
    /// Give the error to the caller.
    GiveUp,
}

impl RetryPolicy {
    /// A policy that never repeats.
    #[must_use]
    pub fn never() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }

    /// Sets the attempts, the first included (at least 1).
    #[must_use]
    pub fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the budget of time of one call.
    #[must_use]
    pub fn with_max_elapsed(mut self, elapsed: Duration) -> Self {
        self.max_elapsed = elapsed;
        self
    }

    /// How long to wait after the `attempt`-th attempt (from 1), when nobody says otherwise: full jitter under a doubling cap.
    /// `random` is in `0.0..1.0`.
    #[must_use]
    pub fn pause(&self, attempt: u32, random: f64) -> Duration {
        let cap = self
            .first_delay
            .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
            .min(self.max_delay);
        cap.mul_f64(random.clamp(0.0, 1.0))
    }

    /// Decides after the `attempt`-th attempt (from 1) failed with `error`, `elapsed` into the call. `random` is in
    /// `0.0..1.0`.
    #[must_use]
    pub fn decide(
        &self,
        error: &Error,
        repeat: Repeat,
        attempt: u32,
        elapsed: Duration,
        random: f64,
    ) -> Decision {
        if attempt >= self.max_attempts || !is_passing(error, repeat) {
            return Decision::GiveUp;
        }
        let jittered = self.pause(attempt, random);
        // The server's wish is a lower bound; jitter on top keeps many clients from returning at the same moment.
        let delay = match error.retry_after() {
            Some(wanted) => wanted.saturating_add(jittered.min(Duration::from_secs(1))),
            None => jittered,
        };
        if elapsed.saturating_add(delay) > self.max_elapsed {
            Decision::GiveUp
        } else {
            Decision::After(delay)
        }
    }
}

fn is_passing(error: &Error, repeat: Repeat) -> bool {
    let unsent =
        error.status().is_none() && source_transport(error).is_some_and(|source| source.kind().is_unsent());
    // A handshake that failed fails again until somebody changes the trust settings or the address.
    let is_final = source_transport(error)
        .is_some_and(|source| source.kind() == wandb_transport::TransportErrorKind::Tls);
    let refused = (unsent && !is_final) || error.status() == Some(429);
    match repeat {
        Repeat::OnlyIfRefused => refused,
        Repeat::Always => {
            refused
                || match error.status() {
                    // A complete answer whose status says "later" (protocol §6.2); 501 is final.
                    Some(408 | 500 | 502..=599) => true,
                    // An answer that broke off, or none: the connection's fault, not the request's.
                    _ => source_transport(error).is_some_and(|source| source.kind().is_transient()),
                }
        }
    }
}

fn source_transport(error: &Error) -> Option<&wandb_transport::TransportError> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// The longest wait that a server can ask for. More is read as this much, and fails against any sane budget.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// Reads `Retry-After` (whole seconds or an HTTP date; protocol §1.5).
#[must_use]
pub fn retry_after(headers: &HeaderMap, unix_seconds: i64) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(LONGEST_WAIT)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    let seconds = date
        .as_second()
        .saturating_sub(unix_seconds)
        .clamp(0, LONGEST_WAIT as i64);
    Some(Duration::from_secs(seconds.unsigned_abs()))
}

/// How long the rate-limit headers ask to pause: until `RateLimit-Reset` when `RateLimit-Remaining` is 0
/// (protocol §6.4).
#[must_use]
pub fn rate_limit_pause(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let remaining = number("ratelimit-remaining")?;
    let reset = number("ratelimit-reset")?;
    (remaining <= 0.0 && reset > 0.0 && reset.is_finite())
        .then(|| Duration::from_secs_f64(reset.min(LONGEST_WAIT as f64)))
}

/// One moment before which no task of a client sends: set by a 429 or an empty rate limit, seen by all of them.
#[derive(Debug, Default)]
pub struct Limiter {
    open_at: Mutex<Duration>,
}

impl Limiter {
    /// Closes the client until `now + pause`; a later moment that is already set stays.
    pub fn pause(&self, now: Duration, pause: Duration) {
        let mut open_at = self
            .open_at
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *open_at = (*open_at).max(now.saturating_add(pause));
    }

    /// How long to wait before the next request.
    #[must_use]
    pub fn wait(&self, now: Duration) -> Duration {
        let open_at = self
            .open_at
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        open_at.saturating_sub(now)
    }
}

/// Whether an error may go away by itself: what a caller's own loop (for example `wb run wait`) should survive.
#[must_use]
pub fn is_transient(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Timeout) || is_passing(error, Repeat::Always)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wandb_transport::{TransportError, TransportErrorKind};

    use super::*;

    fn status(status: u16) -> Error {
        Error::new(ErrorKind::Server, "x").with_status(status)
    }

    fn lost(kind: TransportErrorKind) -> Error {
        TransportError::new(kind, "lost").into()
    }

    #[test]
    fn reads_are_repeated_on_passing_failures_only() {
        let policy = RetryPolicy::default();
        let again =
            |error: &Error, repeat| policy.decide(error, repeat, 1, Duration::ZERO, 0.5) != Decision::GiveUp;
        for code in [408, 429, 500, 502, 503, 504] {
            assert!(again(&status(code), Repeat::Always), "{code}");
        }
        for code in [200, 400, 401, 403, 404, 409, 410, 413, 422, 501] {
            assert!(!again(&status(code), Repeat::Always), "{code}");
        }
        assert!(again(&lost(TransportErrorKind::Interrupted), Repeat::Always));
        assert!(again(&lost(TransportErrorKind::Timeout), Repeat::Always));
        assert!(!again(&lost(TransportErrorKind::InvalidRequest), Repeat::Always));
        assert!(!again(&lost(TransportErrorKind::Tls), Repeat::Always));
        // A write is not repeated where it may have happened.
        assert!(again(&status(429), Repeat::OnlyIfRefused));
        assert!(again(&lost(TransportErrorKind::Connect), Repeat::OnlyIfRefused));
        assert!(!again(&status(503), Repeat::OnlyIfRefused));
        assert!(!again(
            &lost(TransportErrorKind::Interrupted),
            Repeat::OnlyIfRefused
        ));
    }

    #[test]
    fn retry_after_is_a_lower_bound_within_the_budget() {
        let policy = RetryPolicy::default();
        let error = status(429).with_retry_after(Some(Duration::from_secs(7)));
        match policy.decide(&error, Repeat::Always, 1, Duration::ZERO, 1.0) {
            Decision::After(delay) => {
                assert!(delay >= Duration::from_secs(7) && delay <= Duration::from_secs(8));
            }
            Decision::GiveUp => panic!("7 s fit into 60 s"),
        }
        let error = status(429).with_retry_after(Some(Duration::from_secs(3_600)));
        assert_eq!(
            policy.decide(&error, Repeat::Always, 1, Duration::ZERO, 0.0),
            Decision::GiveUp
        );
    }

    #[test]
    fn headers_are_read() {
        let headers = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers
        };
        assert_eq!(
            retry_after(&headers("retry-after", "3"), 0),
            Some(Duration::from_secs(3))
        );
        let date = headers("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT");
        assert_eq!(retry_after(&date, 20), Some(Duration::from_secs(40)));
        assert_eq!(retry_after(&date, 90), Some(Duration::ZERO));
        assert_eq!(retry_after(&headers("retry-after", "soon"), 0), None);
        let mut limits = headers("ratelimit-remaining", "0");
        limits.insert("ratelimit-reset", "2".parse().unwrap());
        assert_eq!(rate_limit_pause(&limits), Some(Duration::from_secs(2)));
        limits.insert("ratelimit-remaining", "5".parse().unwrap());
        assert_eq!(rate_limit_pause(&limits), None);
    }

    #[test]
    fn the_limiter_keeps_the_latest_moment() {
        let limiter = Limiter::default();
        limiter.pause(Duration::from_secs(10), Duration::from_secs(5));
        limiter.pause(Duration::from_secs(11), Duration::from_secs(1));
        assert_eq!(limiter.wait(Duration::from_secs(12)), Duration::from_secs(3));
        assert_eq!(limiter.wait(Duration::from_secs(99)), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn never_beyond_the_budget(
            attempts in 1_u32..12, elapsed in 0_u64..100, random in 0.0_f64..1.0, wanted in prop::option::of(0_u64..200),
        ) {
            let policy = RetryPolicy::default();
            let error = status(503).with_retry_after(wanted.map(Duration::from_secs));
            let elapsed = Duration::from_secs(elapsed);
            if let Decision::After(delay) = policy.decide(&error, Repeat::Always, attempts, elapsed, random) {
                prop_assert!(attempts < policy.max_attempts);
                prop_assert!(elapsed + delay <= policy.max_elapsed);
                if let Some(wanted) = wanted {
                    prop_assert!(delay >= Duration::from_secs(wanted));
                } else {
                    prop_assert!(delay <= policy.max_delay);
                }
            }
        }

        #[test]
        fn any_header_is_read_or_ignored(text in "[ -~]{0,40}") {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            headers.insert("ratelimit-remaining", "0".parse().unwrap());
            headers.insert("ratelimit-reset", text.parse().unwrap());
            let _ = (retry_after(&headers, 0), rate_limit_pause(&headers));
        }
    }
}
