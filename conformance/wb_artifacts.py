"""Answers the questions about artifacts with `wb`; a part of read_wb.py."""

import pathlib
import subprocess

from official_artifacts import ARTIFACT_FIELDS, digest, files_below

NOT_FOUND = 3


class WbArtifacts:
    """Mixed into the reader: one method per kind of question."""

    def artifact_path(self, question):
        return f"{self.entity}/{question['project']}/{question['name']}"

    @staticmethod
    def shaped(artifact):
        """The same members as the official reader picks; lists without an order of their own are sorted on both sides."""
        picked = {name: artifact[name] for name in ARTIFACT_FIELDS}
        picked["aliases"], picked["tags"] = sorted(artifact["aliases"]), sorted(artifact["tags"])
        return picked

    def artifact_types(self, question):
        return sorted(kind["name"] for kind in self.document("artifact", "types", f"{self.entity}/{question['project']}"))

    def collections(self, question):
        found = self.document("artifact", "collections", f"{self.entity}/{question['project']}", "--type", question["type"], "--aliases")
        return sorted(
            ({"name": item["name"], "type": item["type"], "description": item["description"], "aliases": sorted(item["aliases"])} for item in found),
            key=lambda item: item["name"],
        )

    def versions(self, question):
        found = self.lines("artifact", "versions", self.artifact_path(question), "--type", question["type"])
        return [self.shaped(artifact) for artifact in found]

    def artifact(self, question):
        return self.shaped(self.document("artifact", "view", self.artifact_path(question)))

    def by_alias(self, question):
        return self.artifact(question)

    def missing_artifact(self, question):
        command = [self.program, "artifact", "view", self.artifact_path(question)]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return "not found" if result.returncode == NOT_FOUND else f"exit code {result.returncode}"

    def manifest(self, question):
        entries = self.lines("artifact", "manifest", self.artifact_path(question))
        return {entry.pop("path"): entry for entry in entries}

    def artifact_files(self, question):
        found = self.lines("artifact", "files", self.artifact_path(question))
        return sorted(({"name": file["name"], "size": file["size"]} for file in found), key=lambda file: file["name"])

    def artifact_bytes(self, question):
        folder = self.work / "wb-artifacts" / question["name"].replace(":", "-")
        self.call("artifact", "download", self.artifact_path(question), "--root", str(folder), "--allow-missing-references")
        self.call("artifact", "verify", self.artifact_path(question), "--root", str(folder), "--allow-missing-references")
        return files_below(folder)

    def logged_by(self, question):
        return self.document("artifact", "view", self.artifact_path(question), "--lineage")["logged_by"]

    def used_by(self, question):
        return sorted(self.document("artifact", "view", self.artifact_path(question), "--lineage")["used_by"])

    def run_artifacts(self, question, verb):
        return sorted(artifact["name"] for artifact in self.lines("run", verb, self.path(question)))

    def logged_artifacts(self, question):
        return self.run_artifacts(question, "logged-artifacts")

    def used_artifacts(self, question):
        return self.run_artifacts(question, "used-artifacts")

    def media(self, question):
        found = self.document("artifact", "get", self.artifact_path(question), question["entry"])
        if found["type"] == "table":
            return {**found, "rows": [[cell(item) for item in row] for row in found["rows"]]}
        if found["type"] == "image":
            found["masks"] = {name: digest(pathlib.Path(mask["path"])) for name, mask in found["masks"].items()}
        shared = {"image": ("type", "width", "height", "boxes", "masks"), "html": ("type", "size")}
        return {key: found[key] for key in shared[found["type"]]}


def cell(value):
    if isinstance(value, dict) and value.get("_type") == "image-file":
        return {"image": [value["width"], value["height"]], "caption": value.get("caption")}
    return value
