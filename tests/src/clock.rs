//! Time that passes only when somebody sleeps.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use wandb_api::retry::Runtime;

/// A [`Runtime`] whose sleeps end at once, move its clock and are written down. Chance is always one half; the calendar
/// is the real one.
#[derive(Debug, Default)]
pub struct FakeRuntime {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    behind: i64,
    slept: Vec<Duration>,
}

impl FakeRuntime {
    /// A clock whose calendar is this many seconds behind that of everybody else.
    pub fn behind(seconds: i64) -> Self {
        let runtime = Self::default();
        runtime.state().behind = seconds;
        runtime
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every sleep so far, in order.
    pub fn slept(&self) -> Vec<Duration> {
        self.state().slept.clone()
    }
}

#[async_trait]
impl Runtime for FakeRuntime {
    fn now(&self) -> Duration {
        self.state().now
    }

    async fn sleep(&self, duration: Duration) {
        {
            let mut state = self.state();
            state.now += duration;
            state.slept.push(duration);
        }
        tokio::task::yield_now().await;
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn unix_seconds(&self) -> i64 {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(now.as_secs()).unwrap_or(i64::MAX) - self.state().behind
    }
}
