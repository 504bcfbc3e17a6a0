//! The handshake that turns a connection to a proxy into a tunnel to a server (`CONNECT`, RFC 9110 §9.3.6).

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::failure::ConnectFailure;
use crate::TransportErrorKind;

/// The longest head that a proxy may answer with, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Asks the proxy at the other end of `io` for a tunnel to `target` (`host:port`). When this returns, the next byte on
/// `io` is the server's.
pub(super) async fn open<T>(
    io: &mut T,
    target: &str,
    authorization: Option<&HeaderValue>,
    proxy: &str,
) -> Result<(), ConnectFailure>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let failure = |what: String| ConnectFailure::new(TransportErrorKind::Connect, what);
    let lost = |error| failure(format!("the connection to the proxy {proxy} was lost")).with_cause(error);

    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(value) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    io.write_all(&request).await.map_err(lost)?;
    io.flush().await.map_err(lost)?;

    let mut head = Vec::with_capacity(512);
    let end = loop {
        if let Some(end) = head_end(&head) {
            break end;
        }
        if head.len() >= LONGEST_HEAD {
            return Err(failure(format!(
                "the proxy {proxy} did not answer with valid HTTP"
            )));
        }
        if io.read_buf(&mut head).await.map_err(lost)? == 0 {
            return Err(failure(format!(
                "the proxy {proxy} closed the connection without an answer"
            )));
        }
    };
    match status(&head) {
        // Nobody speaks before the client in TLS: whatever follows the head did not come from the server.
        Some(200..=299) if head.len() == end => Ok(()),
        Some(200..=299) => Err(failure(format!(
            "the proxy {proxy} sent a body instead of a tunnel"
        ))),
        Some(407) if authorization.is_none() => {
            Err(failure(format!("the proxy {proxy} wants credentials (407)")))
        }
        Some(407) => Err(failure(format!(
            "the proxy {proxy} does not accept the credentials (407)"
        ))),
        Some(status) => Err(failure(format!(
            "the proxy {proxy} refused a tunnel to {target} ({status})"
        ))),
        None => Err(failure(format!(
            "the proxy {proxy} did not answer with valid HTTP"
        ))),
    }
}

/// Where the empty line after the headers ends.
fn head_end(head: &[u8]) -> Option<usize> {
    head.windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .map(|at| at + 4)
}

/// The status of an HTTP/1 status line.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let (b'0' | b'1', [b' ', rest @ ..]) = rest.split_first()? else {
        return None;
    };
    let (digits, after) = rest.split_at_checked(3)?;
    let ends = matches!(after.first(), Some(b' ' | b'\r'));
    let number = digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u16::from(digit - b'0'))
    })?;
    (ends && number >= 100).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of it when the proxy answers with these pieces; and what it was sent.
    async fn handshake(answer: &[&str]) -> (Result<(), String>, String) {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        let pieces: Vec<String> = answer.iter().map(|piece| (*piece).to_owned()).collect();
        let proxy = tokio::spawn(async move {
            let mut request = Vec::new();
            while head_end(&request).is_none() {
                theirs.read_buf(&mut request).await.unwrap();
            }
            for piece in pieces {
                // A client that has seen enough hangs up.
                let _ = theirs.write_all(piece.as_bytes()).await;
            }
            String::from_utf8(request).unwrap()
        });
        let credentials = HeaderValue::from_static("Basic eDp5");
        let result = open(&mut ours, "api.wandb.ai:443", Some(&credentials), "http://proxy").await;
        drop(ours);
        (
            result.map_err(|failure| failure.to_string()),
            proxy.await.unwrap(),
        )
    }

    #[tokio::test]
    async fn asks_for_the_target_with_credentials() {
        let (result, request) =
            handshake(&["HTTP/1.1 2", "00 Connection established\r\nVia: x\r\n\r", "\n"]).await;
        assert_eq!(result, Ok(()));
        assert_eq!(
            request,
            "CONNECT api.wandb.ai:443 HTTP/1.1\r\nHost: api.wandb.ai:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn refusals_say_what_the_proxy_said() {
        for (answer, part) in [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                "does not accept the credentials (407)",
            ),
            (
                "HTTP/1.0 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
                "refused a tunnel to api.wandb.ai:443 (403)",
            ),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", "body instead of a tunnel"),
            ("HTTP/1.1 2000 OK\r\n\r\n", "valid HTTP"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "valid HTTP"),
            ("HTTP/1.1 200 OK\r\n", "closed the connection"),
            ("", "closed the connection"),
        ] {
            let (result, _) = handshake(&[answer]).await;
            let message = result.expect_err(answer);
            assert!(message.contains(part), "{message}");
        }
    }

    #[tokio::test]
    async fn an_endless_head_is_refused() {
        let line = format!("X: {}\r\n", "y".repeat(1000));
        let mut answer = vec!["HTTP/1.1 200 OK\r\n"];
        answer.extend(std::iter::repeat_n(line.as_str(), 40));
        let (result, _) = handshake(&answer).await;
        assert!(result.expect_err("too long").contains("valid HTTP"));
    }

    proptest! {
        #[test]
        fn every_head_is_read_or_refused(head in proptest::collection::vec(any::<u8>(), 0..40), line in "HTTP/1\\.[01] [0-9]{0,4}.{0,3}") {
            let _ = (status(&head), head_end(&head), status(line.as_bytes()));
        }
    }
}
