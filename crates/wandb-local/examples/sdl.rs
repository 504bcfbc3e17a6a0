//! Prints the server's schema, for `cargo xtask schema check`: `cargo run -p wandb-local --example sdl`.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

fn main() {
    println!("{}", wandb_local::LocalServer::schema_sdl());
}
