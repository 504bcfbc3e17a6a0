//! The thread that a server lives on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::{LocalServerBuilder, StartError};
use crate::app::App;

/// Time that requests under way get to end when the server is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// What is known once the server runs.
pub(super) struct Started {
    pub(super) app: Arc<App>,
    pub(super) api_key: String,
    pub(super) address: SocketAddr,
    pub(super) host: String,
}

/// The thread of a server, and how to end it.
pub(super) struct Running {
    pub(super) stop: watch::Sender<Stop>,
    pub(super) thread: std::thread::JoinHandle<()>,
    pub(super) ended: oneshot::Receiver<()>,
}

/// How far the server has been asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    No,
    Gracefully,
    AtOnce,
}

pub(super) type Ready = oneshot::Receiver<Result<Started, StartError>>;

pub(super) fn died() -> StartError {
    StartError::System(std::io::Error::other("the server thread ended"))
}

pub(super) fn spawn(builder: LocalServerBuilder) -> Result<(Running, Ready), StartError> {
    let (stop, stopped) = watch::channel(Stop::No);
    let (report, ready) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("wandb-local".to_owned())
        .spawn(move || {
            run(builder, stopped, report);
            let _ = end.send(());
        })
        .map_err(StartError::System)?;
    Ok((Running { stop, thread, ended }, ready))
}

/// The life of the server's thread.
fn run(
    builder: LocalServerBuilder,
    stopped: watch::Receiver<Stop>,
    report: oneshot::Sender<Result<Started, StartError>>,
) {
    let prepared = builder.prepare().and_then(|prepared| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("wandb-local-http")
            .enable_all()
            .build()
            .map_err(StartError::System)?;
        let address = format!("{}:{}", builder.host, builder.port);
        let listener = runtime
            .block_on(TcpListener::bind((builder.host.as_str(), builder.port)))
            .and_then(|listener| Ok((listener.local_addr()?, listener)))
            .map_err(|source| StartError::Listen { address, source })?;
        Ok((prepared, runtime, listener))
    });
    let (prepared, runtime, (address, listener)) = match prepared {
        Ok(parts) => parts,
        Err(failure) => {
            let _ = report.send(Err(failure));
            return;
        }
    };
    let app = Arc::clone(&prepared.app);
    let started = Started {
        app: Arc::clone(&app),
        api_key: prepared.api_key,
        address,
        host: builder.host,
    };
    if report.send(Ok(started)).is_ok() {
        runtime.block_on(serve(app, listener, stopped));
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn serve(app: Arc<App>, listener: TcpListener, stopped: watch::Receiver<Stop>) {
    let router = crate::http::router(Arc::clone(&app));
    let keeper = tokio::spawn(keep_house(app));
    // Small answers must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        if let Err(failure) = stream.set_nodelay(true) {
            tracing::debug!(%failure, "cannot set TCP_NODELAY");
        }
    });
    let asked = |least: Stop| {
        let mut stopped = stopped.clone();
        async move {
            // A dropped sender is a dropped server.
            let _ = stopped.wait_for(|stop| *stop >= least).await;
        }
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(asked(Stop::Gracefully));
    let patience = async {
        asked(Stop::Gracefully).await;
        tokio::select! {
            () = tokio::time::sleep(GRACE) => {}
            () = asked(Stop::AtOnce) => {}
        }
    };
    tokio::select! {
        result = serving => {
            if let Err(failure) = result {
                tracing::error!(%failure, "the server ended");
            }
        }
        () = patience => tracing::debug!("stopped with requests under way"),
    }
    keeper.abort();
}

/// Cleans up after a process that was killed; then, from time to time, deletes artifacts whose time to live is over, and
/// marks silent runs as crashed, so that their state is right on disk, too.
async fn keep_house(app: Arc<App>) {
    if let Err(failure) = app.sweep_bytes().await {
        tracing::warn!(%failure, "cannot look for bytes without a file");
    }
    let period = (app.heartbeat_timeout / 4).clamp(Duration::from_millis(50), Duration::from_secs(30));
    loop {
        if let Err(failure) = app.expire_artifacts().await {
            tracing::warn!(%failure, "cannot look for artifacts whose time is over");
        }
        tokio::time::sleep(period).await;
        if let Err(failure) = app.settle().await {
            tracing::warn!(%failure, "cannot look for silent runs");
        }
    }
}
