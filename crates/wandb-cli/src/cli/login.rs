//! `wb login`.

use clap::Args;

const EXAMPLES: &str = "\
The key is asked for without echo, checked against the server, and stored in the netrc file, where the official \
client looks too. With --profile it is stored in that section of the profiles file instead (`profiles`, beside the \
user's settings), so that one host can have several accounts.

Examples:
  wb login
  wb login --base-url http://127.0.0.1:8080
  wb login --with-key-stdin < key.txt
  wb login --profile work --entity my-team";

/// Options of `login`. There is none that takes the key itself: command lines are visible to every process.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoginArgs {
    /// Read the key from stdin instead of asking for it.
    #[arg(long)]
    pub(crate) with_key_stdin: bool,
}
