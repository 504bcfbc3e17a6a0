//! The outside world over tokio: clock, sleep, chance.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use wandb_core::retry::Runtime;

/// A [`Runtime`] over tokio's timer. Randomness is for jitter only.
#[derive(Debug)]
pub struct TokioRuntime {
    started: Instant,
    seed: RandomState,
    drawn: AtomicU64,
}

impl Default for TokioRuntime {
    fn default() -> Self {
        // The standard library's hash seed is the one source of randomness that needs no dependency.
        Self {
            started: Instant::now(),
            seed: RandomState::new(),
            drawn: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl Runtime for TokioRuntime {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn random(&self) -> f64 {
        let mut hasher = self.seed.build_hasher();
        hasher.write_u64(self.drawn.fetch_add(1, Ordering::Relaxed));
        // 53 bits fill a float's mantissa.
        (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn unix_seconds(&self) -> i64 {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
    }
}

/// Runs a future as a task of its own, so that it goes on while the caller works, and ends it when the caller drops the
/// result.
pub(crate) async fn in_background<T: Send + 'static>(
    future: impl Future<Output = wandb_core::Result<T>> + Send + 'static,
) -> wandb_core::Result<T> {
    BackgroundTask(tokio::spawn(future)).await
}

/// Runs work that blocks on the runtime's pool. Work that was begun ends even if this future is dropped.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> wandb_core::Result<T> + Send + 'static,
) -> wandb_core::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(
            wandb_core::Error::new(wandb_core::ErrorKind::Cancelled, "the task was cancelled")
                .with_source(error),
        ),
    }
}

struct BackgroundTask<T>(tokio::task::JoinHandle<wandb_core::Result<T>>);

impl<T> Drop for BackgroundTask<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for BackgroundTask<T> {
    type Output = wandb_core::Result<T>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0)
            .poll(context)
            .map(|joined| match joined {
                Ok(result) => result,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime is shutting down.
                Err(error) => Err(wandb_core::Error::new(
                    wandb_core::ErrorKind::Cancelled,
                    "the task was cancelled",
                )
                .with_source(error)),
            })
    }
}
