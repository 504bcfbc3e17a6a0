//! References: entries whose bytes are elsewhere (inventory §6.2, §6.5).
//!
//! The rules of each scheme, apart from any network: what an address names, and what its digest means.

mod etag;
mod file_url;
mod object;
mod scheme;

pub use etag::{EtagFault, check_etag, unquoted};
pub use file_url::{file_url_of, path_of_file_url};
pub use object::{ObjectAddress, ObjectAddressError, is_signed_blob};
pub use scheme::Scheme;
