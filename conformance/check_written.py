"""Reads with the official client what write_wb.py wrote with `wb`, and fails on every difference.

Artifacts are downloaded and verified by the official client's own `verify`, and their bytes are hashed here as well.
Usage: check_written.py --work DIR
"""

import argparse
import json
import pathlib
import sys

import wandb

from log_runs import plain
from official_artifacts import digest
from write_wb import PROJECT

OWN = {"_timestamp", "_runtime", "_wandb", "_step"}


class Check:
    def __init__(self, expected, work):
        self.expected = expected
        self.work = work
        self.project = f"{expected['entity']}/{PROJECT}"
        self.compared = 0
        self.wrong = []

    def same(self, what, expected, found):
        self.compared += 1
        if expected != found:
            self.wrong.append(f"{what}: expected {json.dumps(expected, ensure_ascii=False)}, found {json.dumps(found, ensure_ascii=False, default=str)}")

    def runs(self):
        for run_id, expected in self.expected["runs"].items():
            run = wandb.Api().run(f"{self.project}/{run_id}")
            self.same(f"{run_id} config", expected["config"], plain(run.config))
            summary = plain(run.summary_metrics)
            own = {key: value for key, value in summary.items() if key in OWN and key not in expected["summary"]}
            self.same(f"{run_id} summary", expected["summary"], {key: value for key, value in summary.items() if key not in own})
            self.same(f"{run_id} tags", sorted(expected["tags"]), sorted(run.tags))
            for name in ("notes", "name"):
                if name in expected:
                    self.same(f"{run_id} {name}", expected[name], getattr(run, name))
            if "rawconfig_keys" in expected:
                self.same(f"{run_id} W&B's own config keys", expected["rawconfig_keys"], sorted(run.rawconfig))
            if "files" in expected:
                self.same(f"{run_id} files", expected["files"], {file.name: file.md5 for file in run.files()})
            for kind, method in (("inputs", "used_artifacts"), ("outputs", "logged_artifacts")):
                if run_id in self.expected[kind]:
                    found = [f"{item.collection.name}:{item.version}" for item in getattr(run, method)()]
                    self.same(f"{run_id} {method}", self.expected[kind][run_id], sorted(found))
        for run_id in self.expected["gone"]:
            self.same(f"{run_id} is gone", False, self.exists(run_id))

    def exists(self, run_id):
        try:
            wandb.Api().run(f"{self.project}/{run_id}").state
        except (wandb.CommError, ValueError):
            return False
        return True

    def artifacts(self):
        for name, expected in self.expected["artifacts"].items():
            artifact = wandb.Api().artifact(f"{self.project}/{name}")
            self.same(f"{name} aliases", sorted(expected["aliases"]), sorted(artifact.aliases))
            self.same(f"{name} description", expected["description"] or "", artifact.description or "")
            self.same(f"{name} metadata", expected["metadata"], artifact.metadata)
            self.same(f"{name} state", "COMMITTED", artifact.state)
            server_digest = artifact.digest
            entries = artifact.manifest.entries
            self.same(f"{name} digest of its manifest", server_digest, artifact.manifest.digest())
            self.same(f"{name} entries", expected["entries"], {path: entry.digest for path, entry in entries.items()})
            folder = self.work / "official-written" / name.replace(":", "-")
            artifact.download(root=str(folder))
            artifact.verify(root=str(folder))
            found = {path.relative_to(folder).as_posix(): digest(path)["md5"] for path in folder.rglob("*") if path.is_file()}
            self.same(f"{name} bytes", expected["entries"], found)
        for name in self.expected["gone_artifacts"]:
            self.same(f"{name} is gone", False, wandb.Api().artifact_exists(f"{self.project}/{name}"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    work = parser.parse_args().work
    check = Check(json.loads((work / "written.json").read_text()), work)
    check.runs()
    check.artifacts()
    print(f"  the official client read what wb wrote: {check.compared} comparisons, {len(check.wrong)} wrong")
    if check.wrong:
        sys.exit("\n".join(["", "conformance: FAILED: written by wb, read by the official client:", *check.wrong]))


if __name__ == "__main__":
    main()
