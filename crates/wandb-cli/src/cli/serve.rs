//! `wb serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use wandb_local::FaultRule;

use crate::duration::parse_duration;

const HELP: &str = "\
The first line on stdout is {\"url\":…,\"api_key\":…,\"entity\":…}, as soon as requests are accepted. Ctrl-C or SIGTERM \
ends the server; the data stay.

Faults: a status (503, or 429,retry-after=2), reset, lost, cut=BYTES, slow=BYTES_PER_SECOND, flip=OFFSET, swap, changed, html or \
expired, then any of path=PREFIX, op=OPERATION, nth=N, every=N, chance=P, limit=N, separated by commas.

Examples:
  wb serve
  wb serve --dir ./my-server --port 9000
  wb serve --fault 503,op=Runs,limit=2 --fault cut=1000,path=/dl/,chance=0.5
  WANDB_BASE_URL=http://127.0.0.1:8080 WANDB_API_KEY=… python train.py";

/// Options of the server.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ServeArgs {
    /// Where the data are kept [default: wb/server in the user's data directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// The address to listen on; anything but loopback lets other machines in.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// The port to listen on; 0 picks a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) port: u16,

    /// The API key that clients must send [default: one that is made once and kept in the directory].
    #[arg(long, value_name = "KEY", env = "WB_SERVE_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,

    /// Call a run crashed when it was silent for so long, for example 90s or 5m [default: the server's own].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) heartbeat_timeout: Option<std::time::Duration>,

    /// Misbehave on purpose, to test clients; may be repeated. See below.
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<FaultRule>,
}
