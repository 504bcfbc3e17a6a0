-- Users, teams and keys; who may see a project.
-- Until now there was one user, who looked after everything, and the access word of a project was never chosen.
ALTER TABLE members ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
UPDATE members SET role = 'admin';
ALTER TABLE users ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN description TEXT;
ALTER TABLE api_keys ADD COLUMN secret TEXT;
UPDATE projects SET access = 'ENTITY_WRITE' WHERE access IS NULL OR access = 'USER_READ';
CREATE INDEX members_user ON members (user_id, entity_id);
CREATE INDEX projects_access ON projects (entity_id, access);
