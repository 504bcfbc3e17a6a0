//! Between `wb` and a server: counts the bytes that pass, so that a test can act when so many have, and the requests for the
//! bytes of files, so that it knows what was sent twice.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Passes everything on. It ends when this is dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    address: SocketAddr,
    counts: Arc<Counts>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    /// To the server.
    up: AtomicU64,
    /// From it.
    down: AtomicU64,
    /// Requests that take a file to the server.
    puts: AtomicU64,
    /// Requests that bring one.
    gets: AtomicU64,
    ends: AtomicBool,
}

impl Proxy {
    /// In front of a server on loopback.
    pub(crate) fn to(url: &str) -> Self {
        let server: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let accepting = std::thread::spawn(move || {
            for client in listener.incoming() {
                if shared.ends.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                    continue;
                };
                let counts = Arc::clone(&shared);
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    let (mut puts, mut gets) = (Needle::new(b"PUT /up/"), Needle::new(b"GET /dl/"));
                    pass(from, to, |bytes| {
                        counts.up.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                        counts.puts.fetch_add(puts.count(bytes), Ordering::Relaxed);
                        counts.gets.fetch_add(gets.count(bytes), Ordering::Relaxed);
                    });
                });
                let counts = Arc::clone(&shared);
                std::thread::spawn(move || {
                    pass(server, client, |bytes| {
                        counts.down.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    });
                });
            }
        });
        Self {
            url: format!("http://{address}"),
            address,
            counts,
            accepting: Some(accepting),
        }
    }

    /// Bytes to the server so far, heads included.
    pub(crate) fn up(&self) -> u64 {
        self.counts.up.load(Ordering::Relaxed)
    }

    /// Bytes from the server so far, heads included.
    pub(crate) fn down(&self) -> u64 {
        self.counts.down.load(Ordering::Relaxed)
    }

    /// Requests so far that take a file to the server; a manifest is one, too.
    pub(crate) fn puts(&self) -> u64 {
        self.counts.puts.load(Ordering::Relaxed)
    }

    /// Requests so far that bring a file; a manifest is one, too.
    pub(crate) fn gets(&self) -> u64 {
        self.counts.gets.load(Ordering::Relaxed)
    }
}

/// Counts how often a text begins in a stream. No file of the tests holds the beginning of a request.
struct Needle {
    text: &'static [u8],
    /// What the stream ended with so far.
    end: Vec<u8>,
}

impl Needle {
    fn new(text: &'static [u8]) -> Self {
        Self {
            text,
            end: Vec::new(),
        }
    }

    fn count(&mut self, bytes: &[u8]) -> u64 {
        self.end.extend_from_slice(bytes);
        let found = self
            .end
            .windows(self.text.len())
            .filter(|window| *window == self.text);
        let count = found.count() as u64;
        // Too short to hold it whole, so that nothing is counted twice.
        self.end
            .drain(..self.end.len().saturating_sub(self.text.len() - 1));
        count
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.counts.ends.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Passes one direction of a connection on until it ends, and ends the other side with it.
fn pass(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
                note(&buffer[..read]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
