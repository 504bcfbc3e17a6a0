"""Answers the questions about artifacts with the official client; a part of read_official.py."""

import base64
import hashlib
import pathlib

import wandb

from log_runs import plain

ARTIFACT_FIELDS = {
    "id": lambda artifact: artifact.id,
    "name": lambda artifact: artifact.name,
    "type": lambda artifact: artifact.type,
    "entity": lambda artifact: artifact.entity,
    "project": lambda artifact: artifact.project,
    "collection": lambda artifact: artifact.collection.name,
    "version": lambda artifact: artifact.version,
    "aliases": lambda artifact: sorted(artifact.aliases),
    "tags": lambda artifact: sorted(artifact.tags),
    "digest": lambda artifact: artifact.digest,
    "state": lambda artifact: artifact.state,
    "size": lambda artifact: artifact.size,
    "file_count": lambda artifact: artifact.file_count,
    "description": lambda artifact: artifact.description,
    "metadata": lambda artifact: artifact.metadata,
    "ttl": lambda artifact: artifact.ttl and artifact.ttl.total_seconds(),
    "created_at": lambda artifact: artifact.created_at,
    "updated_at": lambda artifact: artifact.updated_at,
}


def read(fields, thing):
    return {name: plain(get(thing)) for name, get in fields.items()}


def digest(path):
    data = path.read_bytes()
    return {"size": len(data), "md5": base64.b64encode(hashlib.md5(data).digest()).decode()}


def run_path(run):
    """Not `run.path`, which escapes the names."""
    return f"{run.entity}/{run.project}/{run.id}"


class OfficialArtifacts:
    """Mixed into the reader: one method per kind of question."""

    def project_path(self, question):
        return f"{self.entity}/{question['project']}"

    def artifact_object(self, question):
        return wandb.Api().artifact(f"{self.project_path(question)}/{question['name']}")

    def artifact_types(self, question):
        return sorted(kind.name for kind in self.api.artifact_types(self.project_path(question)))

    def collections(self, question):
        found = self.api.artifact_collections(self.project_path(question), question["type"])
        return sorted(
            ({"name": item.name, "type": item.type, "description": item.description, "aliases": sorted(item.aliases)} for item in found),
            key=lambda item: item["name"],
        )

    def versions(self, question):
        found = self.api.artifacts(question["type"], f"{self.project_path(question)}/{question['name']}")
        return [read(ARTIFACT_FIELDS, artifact) for artifact in found]

    def artifact(self, question):
        return read(ARTIFACT_FIELDS, self.artifact_object(question))

    def by_alias(self, question):
        return read(ARTIFACT_FIELDS, self.artifact_object(question))

    def missing_artifact(self, question):
        exists = wandb.Api().artifact_exists(f"{self.project_path(question)}/{question['name']}")
        return "found" if exists else "not found"

    def manifest(self, question):
        entries = self.artifact_object(question).manifest.entries
        return {
            path: {
                "digest": entry.digest,
                "size": entry.size,
                "ref": str(entry.ref) if entry.ref is not None else None,
                "birth_artifact_id": entry.birth_artifact_id,
                "extra": plain(entry.extra or {}),
            }
            for path, entry in entries.items()
        }

    def artifact_files(self, question):
        return sorted(({"name": file.name, "size": file.size} for file in self.artifact_object(question).files()), key=lambda file: file["name"])

    def artifact_bytes(self, question):
        folder = self.work / "official-artifacts" / question["name"].replace(":", "-")
        self.artifact_object(question).download(root=str(folder), skip_cache=False, allow_missing_references=True)
        return files_below(folder)

    def logged_by(self, question):
        run = self.artifact_object(question).logged_by()
        return run and run_path(run)

    def used_by(self, question):
        return sorted(run_path(run) for run in self.artifact_object(question).used_by())

    def run_artifacts(self, question, method):
        run = self.api.run(self.path(question))
        return sorted(f"{artifact.collection.name}:{artifact.version}" for artifact in getattr(run, method)())

    def logged_artifacts(self, question):
        return self.run_artifacts(question, "logged_artifacts")

    def used_artifacts(self, question):
        return self.run_artifacts(question, "used_artifacts")

    def media(self, question):
        thing = self.artifact_object(question).get(question["entry"])
        if isinstance(thing, wandb.Table):
            return {"type": "table", "columns": thing.columns, "rows": [[cell(item) for item in row] for row in thing.data]}
        if isinstance(thing, wandb.Image):
            return {
                "type": "image",
                "width": thing._width,
                "height": thing._height,
                "boxes": {name: plain(boxes._val) for name, boxes in (thing._boxes or {}).items()},
                "masks": {name: digest(pathlib.Path(mask._path)) for name, mask in (thing._masks or {}).items()},
            }
        return {"type": type(thing).__name__.lower(), "size": pathlib.Path(thing._path).stat().st_size}


def cell(value):
    if isinstance(value, wandb.Image):
        return {"image": [value._width, value._height], "caption": value._caption}
    return plain(value)


def files_below(folder):
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): digest(path) for path in found}
