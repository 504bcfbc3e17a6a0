-- Artifacts (protocol §5).
--
-- A collection is a sequence, where versions are made, or a portfolio, where they are linked; both share the names of a
-- project. A version is in its sequence, and in every portfolio, by a membership with an index of its own.
-- Bytes are counted by reference: `blobs.md5` stays while `artifact_entries`, `artifact_manifests`, `artifact_uploads`,
-- `artifact_parts` or `run_files` name it.

CREATE TABLE blobs (
  md5 TEXT PRIMARY KEY,
  -- The other name of the same bytes, known where an upload was declared by it.
  xxh128 TEXT,
  size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blobs_xxh128 ON blobs (xxh128) WHERE xxh128 IS NOT NULL;

CREATE TABLE artifact_types (
  id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT,
  created_at INTEGER NOT NULL,
  UNIQUE (project_id, name)
);

CREATE TABLE artifact_collections (
  id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  type_id INTEGER NOT NULL REFERENCES artifact_types(id),
  portfolio INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  digest_algorithm TEXT,
  client_id TEXT,
  -- Indexes are never given twice, also after deletions.
  next_index INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
);
CREATE UNIQUE INDEX artifact_collections_name ON artifact_collections (project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX artifact_collections_type ON artifact_collections (type_id, name) WHERE deleted_at IS NULL;

CREATE TABLE collection_tags (
  id INTEGER PRIMARY KEY,
  collection_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  UNIQUE (collection_id, name)
);

CREATE TABLE artifacts (
  id INTEGER PRIMARY KEY,
  sequence_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
  state TEXT NOT NULL,
  version_index INTEGER,
  digest TEXT NOT NULL,
  digest_algorithm TEXT NOT NULL,
  commit_hash TEXT,
  description TEXT,
  labels TEXT,
  metadata TEXT,
  size INTEGER NOT NULL DEFAULT 0,
  storage_bytes INTEGER NOT NULL DEFAULT 0,
  file_count INTEGER NOT NULL DEFAULT 0,
  history_step INTEGER,
  -- Null: as the collection says.
  ttl_seconds INTEGER,
  distributed_id TEXT,
  user_id INTEGER NOT NULL REFERENCES users(id),
  run_id INTEGER REFERENCES runs(id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (sequence_id, version_index)
);
CREATE INDEX artifacts_digest ON artifacts (sequence_id, digest) WHERE state = 'COMMITTED';
CREATE INDEX artifacts_pending ON artifacts (sequence_id, distributed_id) WHERE state = 'PENDING';
CREATE INDEX artifacts_run ON artifacts (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX artifacts_ttl ON artifacts (created_at) WHERE ttl_seconds > 0 AND state = 'COMMITTED';

CREATE TABLE artifact_clients (
  client_id TEXT PRIMARY KEY,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX artifact_clients_artifact ON artifact_clients (artifact_id);

CREATE TABLE artifact_tags (
  id INTEGER PRIMARY KEY,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  UNIQUE (artifact_id, name)
);

CREATE TABLE artifact_memberships (
  id INTEGER PRIMARY KEY,
  collection_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  version_index INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (collection_id, version_index),
  UNIQUE (artifact_id, collection_id)
);

CREATE TABLE artifact_aliases (
  id INTEGER PRIMARY KEY,
  collection_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  membership_id INTEGER NOT NULL REFERENCES artifact_memberships(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  UNIQUE (collection_id, alias)
);
CREATE INDEX artifact_aliases_membership ON artifact_aliases (membership_id);

-- What a version is to be called once it is committed.
CREATE TABLE artifact_wishes (
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  PRIMARY KEY (artifact_id, alias)
) WITHOUT ROWID;

CREATE TABLE artifact_manifests (
  id INTEGER PRIMARY KEY,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  base_id INTEGER REFERENCES artifacts(id) ON DELETE SET NULL,
  -- The one that is read.
  current INTEGER NOT NULL DEFAULT 0,
  md5 TEXT,
  size INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  uploaded_at INTEGER
);
CREATE INDEX artifact_manifests_artifact ON artifact_manifests (artifact_id, kind);
CREATE INDEX artifact_manifests_md5 ON artifact_manifests (md5) WHERE md5 IS NOT NULL;

-- The files of committed versions, numbered in the order of their paths, so that a page is a range.
CREATE TABLE artifact_entries (
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size INTEGER,
  md5 TEXT,
  reference TEXT,
  birth_id INTEGER,
  extra TEXT,
  skip_cache INTEGER,
  PRIMARY KEY (artifact_id, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX artifact_entries_path ON artifact_entries (artifact_id, path);
CREATE INDEX artifact_entries_md5 ON artifact_entries (md5) WHERE md5 IS NOT NULL;

-- The files of versions that are not committed yet.
CREATE TABLE artifact_uploads (
  id INTEGER PRIMARY KEY,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  manifest_id INTEGER,
  path TEXT NOT NULL,
  -- As declared, in hexadecimal; what arrives must have them.
  declared_md5 TEXT,
  declared_xxh128 TEXT,
  -- Set once the bytes are stored.
  md5 TEXT,
  birth_id INTEGER NOT NULL,
  multipart TEXT,
  updated_at INTEGER NOT NULL,
  UNIQUE (artifact_id, path)
);
CREATE INDEX artifact_uploads_md5 ON artifact_uploads (md5) WHERE md5 IS NOT NULL;

CREATE TABLE artifact_parts (
  upload_id INTEGER NOT NULL REFERENCES artifact_uploads(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  declared_md5 TEXT NOT NULL,
  md5 TEXT,
  size INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;
CREATE INDEX artifact_parts_md5 ON artifact_parts (md5) WHERE md5 IS NOT NULL;

CREATE TABLE run_inputs (
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  used_as TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (run_id, artifact_id, used_as)
) WITHOUT ROWID;
CREATE INDEX run_inputs_artifact ON run_inputs (artifact_id, run_id);

-- Beside the run that made a version, runs that logged the same content again.
CREATE TABLE run_outputs (
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (run_id, artifact_id)
) WITHOUT ROWID;
CREATE INDEX run_outputs_artifact ON run_outputs (artifact_id);
