//! Looks into the content cache that is shared with the official client: `cargo run --example cache -- CACHE_DIR du`, `ls`,
//! `verify` or `put FILE`.

use std::{
    error::Error,
    fs,
    io::{BufWriter, Write as _},
};

use wandb_artifacts::{Algorithm, Cache, cache::ObjectKey};
use wandb_storage::Expected;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut out = BufWriter::new(std::io::stdout().lock());
    match arguments[..] {
        [directory, "du"] => serde_json::to_writer_pretty(&mut out, &Cache::open(directory)?.usage()?)?,
        [directory, "ls"] => serde_json::to_writer_pretty(&mut out, &Cache::open(directory)?.list()?)?,
        [directory, "verify"] => serde_json::to_writer_pretty(&mut out, &Cache::open(directory)?.verify()?)?,
        [directory, "put", file] => {
            let cache = Cache::open(directory)?;
            let bytes = fs::read(file)?;
            let key = ObjectKey::from(Algorithm::Md5.hash(&bytes));
            let mut pending = cache.begin(&key)?;
            pending.append(&bytes)?;
            let verified = pending.verify(&Expected {
                size: Some(bytes.len() as u64),
                digest: key.content(),
            })?;
            for object in cache.publish(vec![(key, verified)]) {
                write!(out, "{}", object?.key())?;
            }
        }
        _ => return Err("CACHE_DIR and du, ls, verify or put FILE were expected".into()),
    }
    writeln!(out)?;
    out.flush()?;
    Ok(())
}
