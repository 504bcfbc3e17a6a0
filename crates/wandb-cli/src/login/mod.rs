//! What `wb login` writes: the netrc file and the settings file.

pub(crate) mod netrc;
pub(crate) mod private_file;
pub(crate) mod settings_file;
