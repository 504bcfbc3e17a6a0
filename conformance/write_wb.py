"""Writes with `wb` what the official client then reads: runs, files, artifacts.

Each step says here what must be there afterwards; check_written.py asks the official client whether it is. What is
expected is written to WORK/written.json. Usage: write_wb.py --work DIR --wb PROGRAM
"""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import random

from read_wb import Wb

PROJECT = "conformance.written"


def digest(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def write(folder, content):
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


class Writer:
    def __init__(self, work, program):
        self.wb = Wb(work, program)
        self.work = work / "written-sources"
        self.project = f"{self.wb.entity}/{PROJECT}"
        self.expected = {"runs": {}, "gone": [], "artifacts": {}, "gone_artifacts": [], "inputs": {}, "outputs": {}}

    def run_written(self):
        path = f"{self.project}/written"
        self.wb.call("run", "create", path, "--name", "made by wb", "--config", "lr=0.5", "--config", 'nested={"a": {"b": [1, null]}}', "--tag", "first")
        self.wb.call("run", "update", path, "--config", "lr=0.25", "--config", "text=plain", "--summary", "loss=0.125", "--summary", 'deep={"x": 1}')
        self.wb.call("run", "update", path, "--tag", "second", "--untag", "first", "--notes", "ünïcödé\nnotes", "--name", "renamed")
        files = {"result.txt": b"a result\n", "deep/er/data.bin": random.Random(8).randbytes(700_000), "empty.bin": b""}
        folder = write(self.work / "files", files)
        self.wb.call("run", "upload", path, *(str(folder / name) for name in files), "--root", str(folder))
        self.expected["runs"]["written"] = {
            "config": {"lr": 0.25, "nested": {"a": {"b": [1, None]}}, "text": "plain"},
            "summary": {"loss": 0.125, "deep": {"x": 1}},
            "tags": ["second"],
            "notes": "ünïcödé\nnotes",
            "name": "renamed",
            "files": {name: digest(data) for name, data in files.items()},
        }

    def run_of_the_sdk_is_patched(self):
        """A run that the SDK logged: what was not touched must stay, W&B's own keys included."""
        import wandb

        settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
        with wandb.init(id="patched", project=PROJECT, dir=str(self.work), settings=settings, config={"kept": {"value": 3}, "changed": 1}, tags=["sdk"]) as run:
            run.log({"loss": 0.5, "kept": 2})
        before = wandb.Api().run(f"{self.project}/patched")
        self.wb.call("run", "update", f"{self.project}/patched", "--config", "changed=2", "--summary", "best=1", "--tag", "wb")
        self.expected["runs"]["patched"] = {
            "config": {"kept": {"value": 3}, "changed": 2},
            "summary": {"loss": 0.5, "kept": 2, "best": 1, "_step": 0},
            "tags": ["sdk", "wb"],
            "rawconfig_keys": sorted(before.rawconfig),
        }

    def run_deleted(self):
        self.wb.call("run", "create", f"{self.project}/deleted")
        self.wb.call("run", "delete", f"{self.project}/deleted", "--yes")
        self.expected["gone"].append("deleted")

    def put(self, name, content, *options, type_name="dataset"):
        folder = write(self.work / f"{name}-{len(self.expected['artifacts'])}", content)
        answer = self.wb.document("artifact", "put", str(folder), "--name", f"{self.project}/{name}", "--type", type_name, *options)
        return answer

    def artifacts(self):
        first = {"a.txt": b"first\n", "größe ✓ #1 & 100%.bin": random.Random(9).randbytes(400_000), "deep/empty": b""}
        self.put("made-by-wb", first, "--alias", "one", "--alias", "moves", "--description", "by wb", "--metadata", '{"k": [1, {"x": null}]}')
        again = self.put("made-by-wb", first, "--alias", "again")
        if again["version"] != "v0":
            raise AssertionError(f"the same bytes became {again['version']}, not v0 again")
        second = {**first, "a.txt": b"second\n", "added.txt": b"added\n"}
        self.put("made-by-wb", second, "--alias", "moves")
        name = f"{self.project}/made-by-wb"
        self.wb.call("artifact", "update", f"{name}:v1", "--alias", "edited", "--unalias", "moves", "--description", "edited", "--metadata", '{"edited": true}')
        self.expect("made-by-wb:v0", first, ["one", "again"], "by wb", {"k": [1, {"x": None}]})
        self.expect("made-by-wb:v1", second, ["edited", "latest"], "edited", {"edited": True})
        many = {f"{index % 20:02}/{index:05}": f"{index}\n".encode() for index in range(3000)}
        self.put("many-by-wb", many)
        self.expect("many-by-wb:v0", many, ["latest"], None, {})
        for text in (b"1", b"2"):
            self.put("deleted-by-wb", {"x": text}, "--alias", f"x{text.decode()}")
        self.wb.call("artifact", "delete", f"{self.project}/deleted-by-wb:v0", "--with-aliases", "--yes")
        self.expected["gone_artifacts"].append("deleted-by-wb:v0")

    def edges(self):
        run = f"{self.project}/written"
        self.wb.call("run", "use-artifact", run, f"{self.project}/made-by-wb:v0")
        self.wb.call("run", "log-artifact", run, f"{self.project}/made-by-wb:v1", "--alias", "from-run")
        self.expected["inputs"]["written"] = ["made-by-wb:v0"]
        self.expected["outputs"]["written"] = ["made-by-wb:v1"]
        self.expected["artifacts"]["made-by-wb:v1"]["aliases"].append("from-run")

    def expect(self, name, content, aliases, description, metadata):
        self.expected["artifacts"][name] = {
            "entries": {path: digest(data) for path, data in content.items()},
            "aliases": aliases,
            "description": description,
            "metadata": metadata,
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--wb", required=True)
    arguments = parser.parse_args()
    writer = Writer(arguments.work, arguments.wb)
    for step in (writer.run_written, writer.run_of_the_sdk_is_patched, writer.run_deleted, writer.artifacts, writer.edges):
        step()
    (arguments.work / "written.json").write_text(json.dumps({"entity": os.environ["WANDB_ENTITY"], **writer.expected}, ensure_ascii=False))
    print(f"  wb wrote {len(writer.expected['runs'])} runs and {len(writer.expected['artifacts'])} artifact versions")


if __name__ == "__main__":
    main()
