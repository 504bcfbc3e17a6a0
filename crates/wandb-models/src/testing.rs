//! What unit tests share: a client over a script, whose waits take no time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use wandb_core::retry::Runtime;
use wandb_transport::ScriptedTransport;

use crate::{Api, ApiBuilder};

/// A key that may be one.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// A clock that only sleeping moves; each random number is the next of a row, so that names differ.
#[derive(Debug, Default)]
pub(crate) struct FakeRuntime {
    now: Mutex<Duration>,
    drawn: std::sync::atomic::AtomicU32,
}

#[async_trait]
impl Runtime for FakeRuntime {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        *self.now.lock().unwrap() += duration;
        tokio::task::yield_now().await;
    }

    fn random(&self) -> f64 {
        let drawn = self.drawn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        f64::from(drawn % 36) / 36.0 + 0.01
    }

    fn unix_seconds(&self) -> i64 {
        0
    }
}

/// A client for `https://api.example` and the entity `e`.
pub(crate) fn api(script: &ScriptedTransport) -> Api {
    builder(script).build()
}

/// The builder of such a client.
pub(crate) fn builder(script: &ScriptedTransport) -> ApiBuilder {
    Api::builder(Arc::new(script.clone()))
        .base_url("https://api.example")
        .and_then(|builder| builder.api_key(KEY))
        .and_then(|builder| builder.entity("e"))
        .unwrap()
        .runtime(Arc::new(FakeRuntime::default()))
        .server_rules(wandb_core::filter::ServerRules::exact())
}
