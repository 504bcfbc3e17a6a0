//! Trust: which certificates a server may show, and when the roots for that are read.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::OnceCell;

use super::config_error::ConfigError;
use super::failure::ConnectFailure;
use crate::TransportErrorKind;

/// The certificate authorities that are trusted, besides those that the builder is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Roots {
    /// The machine's own store, as `rustls-native-certs` finds it: the system's store, or what `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` point to. The default. With the feature `webpki-roots`, a machine that has none gets Mozilla's
    /// list, so that the feature takes nothing away from a machine that has one.
    #[default]
    Native,
    /// Mozilla's list as it was when the program was compiled (feature `webpki-roots`): for containers and machines
    /// without a store. It grows old with the program.
    #[cfg(feature = "webpki-roots")]
    Mozilla,
    /// None: only the certificates that the builder is given.
    None,
}

/// What to trust, and the two configurations that come of it on the first use of TLS.
///
/// Reading the machine's store takes milliseconds and a file of a few hundred kilobytes. A program that talks to a local
/// server in plain HTTP never pays for it, nor does any program at its start.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) trust: Trust,
    /// Whether servers are offered HTTP/2.
    pub(super) http2: bool,
    to_servers: OnceCell<Arc<ClientConfig>>,
    to_proxies: OnceCell<Arc<ClientConfig>>,
}

/// The settings behind a configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct Trust {
    pub(super) roots: Roots,
    pub(super) extra: Vec<CertificateDer<'static>>,
    /// Whether every certificate is accepted.
    pub(super) blind: bool,
}

impl Tls {
    pub(super) fn new(trust: Trust, http2: bool) -> Self {
        Self {
            trust,
            http2,
            to_servers: OnceCell::new(),
            to_proxies: OnceCell::new(),
        }
    }

    /// For servers: offers HTTP/2, if it is wanted, and HTTP/1.1.
    pub(super) async fn to_servers(&self) -> Result<Arc<ClientConfig>, ConnectFailure> {
        let protocols: &[&[u8]] = if self.http2 {
            &[b"h2", b"http/1.1"]
        } else {
            &[b"http/1.1"]
        };
        get(&self.to_servers, &self.trust, protocols).await
    }

    /// For proxies: `CONNECT` is spoken in HTTP/1.1 only.
    pub(super) async fn to_proxies(&self) -> Result<Arc<ClientConfig>, ConnectFailure> {
        get(&self.to_proxies, &self.trust, &[b"http/1.1"]).await
    }
}

/// Makes the configuration once. A failure is not kept: the next connection tries again.
async fn get(
    cell: &OnceCell<Arc<ClientConfig>>,
    trust: &Trust,
    protocols: &'static [&'static [u8]],
) -> Result<Arc<ClientConfig>, ConnectFailure> {
    let make = || async {
        let trust = trust.clone();
        // Off the runtime's threads, since it reads files.
        let made = tokio::task::spawn_blocking(move || trust.client_config(protocols)).await;
        made.unwrap_or_else(|error| {
            let failure = ConnectFailure::new(
                TransportErrorKind::Tls,
                "the trusted certificates were not loaded",
            );
            Err(failure.with_cause(error))
        })
    };
    cell.get_or_try_init(make).await.cloned()
}

impl Trust {
    /// Adds every certificate of a PEM text.
    pub(super) fn add_pem(&mut self, pem: &[u8], name: &str) -> Result<(), ConfigError> {
        let before = self.extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate
                .map_err(|error| ConfigError::new(format!("{name} is not valid PEM")).with_source(error))?;
            // A certificate that no store would take is better refused here than missed later.
            RootCertStore::empty().add(certificate.clone()).map_err(|error| {
                ConfigError::new(format!("{name} has a certificate that cannot be used")).with_source(error)
            })?;
            self.extra.push(certificate);
        }
        if self.extra.len() == before {
            return Err(ConfigError::new(format!("{name} has no certificate in PEM form")));
        }
        Ok(())
    }

    fn client_config(&self, protocols: &[&[u8]]) -> Result<Arc<ClientConfig>, ConnectFailure> {
        // The provider is named, not installed: a process-wide default belongs to the program.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| failure("no TLS version can be used").with_cause(error))?;
        let builder = if self.blind {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptsEveryone(provider)))
        } else {
            builder.with_root_certificates(self.root_store()?)
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }

    fn root_store(&self) -> Result<RootCertStore, ConnectFailure> {
        let mut store = RootCertStore::empty();
        match self.roots {
            Roots::Native => {
                let found = rustls_native_certs::load_native_certs();
                // Stores in the wild have single certificates that cannot be read; the others still count.
                store.add_parsable_certificates(found.certs);
                #[cfg(feature = "webpki-roots")]
                if store.is_empty() {
                    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
                }
                if store.is_empty() && self.extra.is_empty() {
                    let failure = failure("this machine has no trusted certificates");
                    return Err(match found.errors.into_iter().next() {
                        Some(error) => failure.with_cause(error),
                        None => failure,
                    });
                }
            }
            #[cfg(feature = "webpki-roots")]
            Roots::Mozilla => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Roots::None => {}
        }
        store.add_parsable_certificates(self.extra.iter().cloned());
        if store.is_empty() {
            return Err(failure("no trusted certificates are set"));
        }
        Ok(store)
    }
}

fn failure(message: &str) -> ConnectFailure {
    ConnectFailure::new(TransportErrorKind::Tls, message)
}

/// Takes every certificate for every name. The handshake's signatures are still checked, so that the peer at least holds
/// the key of the certificate that it shows.
#[derive(Debug)]
struct AcceptsEveryone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptsEveryone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_read_before_it_is_needed_and_then_once() {
        let tls = Tls::new(Trust::default(), true);
        assert!(!tls.to_servers.initialized() && !tls.to_proxies.initialized());
        let trust = Trust {
            blind: true,
            ..Trust::default()
        };
        let tls = Tls::new(trust, true);
        let first = tls.to_servers().await.unwrap();
        assert!(Arc::ptr_eq(&first, &tls.to_servers().await.unwrap()));
        assert_eq!(first.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert_eq!(
            tls.to_proxies().await.unwrap().alpn_protocols,
            [b"http/1.1".to_vec()]
        );
    }

    #[cfg(feature = "webpki-roots")]
    #[test]
    fn mozillas_roots_are_there_and_a_certificate_of_ones_own_joins_them() {
        let mut trust = Trust {
            roots: Roots::Mozilla,
            ..Trust::default()
        };
        let before = trust.root_store().unwrap().len();
        assert!(before > 50, "{before}");
        let own = rcgen::generate_simple_self_signed(["own.example".to_owned()]).unwrap();
        trust.add_pem(own.cert.pem().as_bytes(), "the test").unwrap();
        assert_eq!(trust.root_store().unwrap().len(), before + 1);
    }
}
