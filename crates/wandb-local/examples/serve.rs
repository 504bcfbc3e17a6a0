//! Serves a data directory until interrupted: `cargo run -p wandb-local --example serve -- [DIR] [PORT]`.
//!
//! Prints one line of JSON with the URL, the API key and the entity once requests are taken.
#![allow(clippy::print_stdout)] // the line is what the example is for

use wandb_local::LocalServer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut builder = LocalServer::builder();
    if let Some(dir) = arguments.next() {
        builder = builder.dir(dir);
    }
    if let Some(port) = arguments.next() {
        builder = builder.port(port.parse()?);
    }
    let server = builder.start_blocking()?;
    println!(
        "{}",
        serde_json::json!({ "url": server.url(), "api_key": server.api_key(), "entity": server.entity() })
    );
    loop {
        std::thread::park();
    }
}
