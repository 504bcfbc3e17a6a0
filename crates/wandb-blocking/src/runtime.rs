//! The runtime behind blocking handles, and the one place that waits.

use std::panic;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};
use wandb_core::{Error, Result};

/// One to poll the network, one for the tasks of a listing that run ahead.
const THREADS: usize = 2;

/// A runtime that starts with the first call. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Runtime {
    started: Arc<Mutex<Option<Arc<Started>>>>,
}

/// Tokio's runtime, which may be dropped anywhere.
#[derive(Debug)]
struct Started(Option<tokio::runtime::Runtime>);

impl Drop for Started {
    fn drop(&mut self) {
        // The plain drop waits for the threads, and panics inside of another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Runtime {
    fn started(&self) -> Result<Arc<Started>> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(started) = &*started {
            return Ok(Arc::clone(started));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("wandb-blocking")
            .enable_all()
            .build()
            .map_err(|error| Error::io("start the threads of the blocking client", error))?;
        Ok(Arc::clone(started.insert(Arc::new(Started(Some(runtime))))))
    }

    /// Waits for a result, whose error becomes the client's. A panic of the future goes on in the caller.
    ///
    /// Tokio refuses to wait on a thread that a runtime is using already. There the waiting is done on a thread of its own,
    /// for which the caller's thread waits: it may borrow what the caller has, and costs some microseconds beside a request.
    pub(crate) fn wait<T: Send, E: Into<Error>>(
        &self,
        future: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T> {
        let future = async { future.await.map_err(Into::into) };
        let started = self.started()?;
        let runtime = started
            .0
            .as_ref()
            .expect("the runtime is there until it is dropped");
        if Handle::try_current().is_err() {
            return runtime.block_on(future);
        }
        thread::scope(|scope| {
            let waiting = thread::Builder::new()
                .name("wandb-blocking-wait".to_owned())
                .spawn_scoped(scope, || runtime.block_on(future))
                .map_err(|error| Error::io("start a thread to wait on", error))?;
            waiting.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_in(runtime: &Runtime) -> Result<u32> {
        let lent = [3_u32, 4];
        runtime.wait::<_, Error>(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let spawned = tokio::spawn(async { 5 }).await;
            Ok(lent.iter().sum::<u32>() + spawned.expect("the task ends"))
        })
    }

    #[test]
    fn it_waits_on_every_kind_of_thread() {
        let runtime = Runtime::default();
        assert_eq!(wait_in(&runtime).expect("a result"), 12);
        let current = Builder::new_current_thread().build().expect("a runtime");
        assert_eq!(
            current.block_on(async { wait_in(&runtime) }).expect("a result"),
            12
        );
        let many = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("a runtime");
        let inner = runtime.clone();
        let nested = many.block_on(async move {
            let on_worker = inner.clone();
            let worker = tokio::spawn(async move { wait_in(&on_worker) })
                .await
                .expect("no panic");
            let pool = tokio::task::spawn_blocking(move || wait_in(&inner))
                .await
                .expect("no panic");
            [worker, pool]
        });
        assert!(nested.iter().all(|result| matches!(result, Ok(12))));
        // In a callback of its own: inside of the wait.
        let own = runtime.wait(async { wait_in(&runtime) });
        assert_eq!(own.expect("a result"), 12);
    }

    #[test]
    fn it_may_be_dropped_inside_of_a_runtime_and_a_panic_comes_through() {
        let current = Builder::new_current_thread().build().expect("a runtime");
        current.block_on(async {
            let runtime = Runtime::default();
            assert_eq!(wait_in(&runtime).expect("a result"), 12);
            drop(runtime);
            let runtime = Runtime::default();
            let waiting = panic::AssertUnwindSafe(|| runtime.wait::<(), Error>(async { panic!("inside") }));
            let panic = panic::catch_unwind(waiting).expect_err("the panic comes through");
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"inside"));
            assert_eq!(wait_in(&runtime).expect("it goes on"), 12);
        });
    }
}
