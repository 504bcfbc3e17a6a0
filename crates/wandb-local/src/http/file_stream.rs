//! `POST /files/{entity}/{project}/{run}/file_stream`.
