//! Where the bytes of one file are, and whether the credential goes there.

use async_trait::async_trait;
use wandb_core::{Result, redact::SafeUrl};

/// An address of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The URL. It may be signed.
    pub url: SafeUrl,
    /// Whether the credential may go along, if the URL is below the base URL. Never for signed and reference URLs
    /// (protocol §1.3).
    pub with_credential: bool,
}

impl Address {
    /// An address that is its own credential, or that belongs to someone else: nothing of ours goes along.
    #[must_use]
    pub fn signed(url: SafeUrl) -> Self {
        Self {
            url,
            with_credential: false,
        }
    }

    /// An address of the server itself, which wants the credential.
    #[must_use]
    pub fn of_server(url: SafeUrl) -> Self {
        Self {
            url,
            with_credential: true,
        }
    }
}

/// Gives addresses of one file.
#[async_trait]
pub trait AddressSource: Send + Sync {
    /// The first address.
    ///
    /// # Errors
    /// When there is none.
    async fn first(&self) -> Result<Address>;

    /// Another address, because a server refused this one with 401, 403, 404 or 410: it expired, or the object is elsewhere.
    /// `None` when there is no other; the caller then reports the refusal.
    ///
    /// # Errors
    /// When the address cannot be asked for, or the file changed meanwhile.
    async fn renew(&self, refused: &Address) -> Result<Option<Address>>;
}

/// One address and no other.
#[derive(Debug, Clone)]
pub struct FixedAddress(pub Address);

#[async_trait]
impl AddressSource for FixedAddress {
    async fn first(&self) -> Result<Address> {
        Ok(self.0.clone())
    }

    async fn renew(&self, _: &Address) -> Result<Option<Address>> {
        Ok(None)
    }
}
