//! How many transfers go on at once: more while all is well, half when the server asks to slow down.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

/// How long one sign of overload counts: the requests that were sent together fail together.
const QUIET: Duration = Duration::from_secs(1);

/// A gate of changing width (additive increase, multiplicative decrease).
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    width: f64,
    widest: f64,
    inside: usize,
    narrowed_at: Option<Duration>,
}

/// A place inside. Dropping it leaves.
#[derive(Debug)]
pub(crate) struct Place<'a>(&'a Gate);

impl Gate {
    pub(crate) fn new(width: usize, widest: usize) -> Self {
        Self {
            state: Mutex::new(State {
                width: width.clamp(1, widest.max(1)) as f64,
                widest: widest.max(1) as f64,
                inside: 0,
                narrowed_at: None,
            }),
            changed: Notify::new(),
        }
    }

    /// Waits for a place.
    pub(crate) async fn enter(&self) -> Place<'_> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if (state.inside as f64) < state.width.floor() {
                    state.inside += 1;
                    return Place(self);
                }
            }
            changed.await;
        }
    }

    /// One transfer went well: a whole round of them widens the gate by one.
    pub(crate) fn widen(&self) {
        let mut state = self.state();
        state.width = (state.width + 1.0 / state.width).min(state.widest);
    }

    /// The server is at its limit.
    pub(crate) fn narrow(&self, now: Duration) {
        let mut state = self.state();
        if state
            .narrowed_at
            .is_none_or(|then| now.saturating_sub(then) >= QUIET)
        {
            state.width = (state.width / 2.0).max(1.0);
            state.narrowed_at = Some(now);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.state().inside -= 1;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn it_widens_by_rounds_and_halves_once_per_overload() {
        let gate = Gate::new(4, 6);
        let mut inside: Vec<_> = (0..4).map(|_| gate.enter().now_or_never().unwrap()).collect();
        assert!(gate.enter().now_or_never().is_none());
        for _ in 0..5 {
            gate.widen();
        }
        inside.push(gate.enter().now_or_never().unwrap());
        assert!(gate.enter().now_or_never().is_none());
        for _ in 0..100 {
            gate.widen();
        }
        inside.push(gate.enter().now_or_never().unwrap());
        assert!(gate.enter().now_or_never().is_none(), "never wider than allowed");
        for now in [10_000, 10_001, 10_900] {
            gate.narrow(Duration::from_millis(now));
        }
        inside.truncate(3);
        assert!(gate.enter().now_or_never().is_none());
        inside.truncate(2);
        assert!(gate.enter().now_or_never().is_some());
        for now in 20..40 {
            gate.narrow(Duration::from_secs(now));
        }
        inside.clear();
        let only = gate.enter().now_or_never().unwrap();
        assert!(gate.enter().now_or_never().is_none(), "never narrower than one");
        drop(only);
    }
}
