//! How fast bytes come, and when that is too slow.

use std::time::Duration;

use wandb_core::{Error, ErrorKind};

/// The span over which the rate is measured: time spent waiting for bytes, over all connections of a file.
const RATE_SPAN: Duration = Duration::from_secs(60);

/// The bytes that must arrive in such a span: 1 KiB a second.
const RATE_BYTES: u64 = 60 * 1024;

/// The rate, measured span by span.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    waited: Duration,
    bytes: u64,
    is_too_slow: bool,
}

impl Pace {
    pub(crate) fn note(&mut self, waited: Duration, bytes: usize) {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited >= RATE_SPAN {
            self.is_too_slow = self.bytes < RATE_BYTES;
            (self.waited, self.bytes) = (Duration::ZERO, 0);
        }
    }

    pub(crate) fn is_too_slow(&self) -> bool {
        self.is_too_slow
    }
}

pub(crate) fn too_slow() -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "fewer than {RATE_BYTES} bytes came in {} s of waiting",
            RATE_SPAN.as_secs()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_span_of_waiting_can_be_too_slow() {
        let mut pace = Pace::default();
        for _ in 0..59 {
            pace.note(Duration::from_secs(1), 0);
        }
        assert!(!pace.is_too_slow());
        pace.note(Duration::from_secs(1), 60 * 1024);
        assert!(!pace.is_too_slow());
        pace.note(Duration::from_secs(60), 1_000);
        assert!(pace.is_too_slow());
    }
}
