//! Counting requests, and saying so in the headers of every answer (protocol §6.4).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many requests in a window of time.
#[derive(Debug)]
pub(crate) struct RateLimit {
    requests: u64,
    window: Duration,
    state: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    used: u64,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Requests per window.
    pub(crate) limit: u64,
    /// Requests left in this window.
    pub(crate) remaining: u64,
    /// Whole seconds until the window ends, at least one.
    pub(crate) reset: u64,
    /// False when the request is one too many.
    pub(crate) admitted: bool,
}

impl RateLimit {
    pub(crate) fn new(requests: u64, window: Duration) -> Self {
        Self {
            requests,
            window,
            state: Mutex::new(Window {
                began: Instant::now(),
                used: 0,
            }),
        }
    }

    /// Counts one request that arrives at `now`.
    pub(crate) fn count(&self, now: Instant) -> Standing {
        let mut window = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(window.began) >= self.window {
            *window = Window { began: now, used: 0 };
        }
        let admitted = window.used < self.requests;
        if admitted {
            window.used += 1;
        }
        let left = self.window.saturating_sub(now.duration_since(window.began));
        Standing {
            limit: self.requests,
            remaining: self.requests - window.used,
            reset: left
                .as_secs()
                .saturating_add(u64::from(left.subsec_nanos() > 0))
                .max(1),
            admitted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_admits_its_number_and_starts_anew() {
        let limit = RateLimit::new(2, Duration::from_secs(10));
        let start = Instant::now();
        let first = limit.count(start);
        assert!(first.admitted);
        assert_eq!((first.remaining, first.reset), (1, 10));
        assert!(limit.count(start).admitted);
        let third = limit.count(start + Duration::from_millis(2500));
        assert!(!third.admitted);
        assert_eq!((third.remaining, third.reset), (0, 8));
        assert!(limit.count(start + Duration::from_secs(11)).admitted);
    }
}
