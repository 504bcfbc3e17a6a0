"""Writes with `wb` what the official client then reads: runs, files, artifacts, collections, sweeps, reports, projects.

Each step says here what must be there afterwards; check_written.py asks the official client whether it is. What is
expected is written to WORK/written.json. Usage: write_wb.py --work DIR --wb PROGRAM
"""

import argparse
import base64
import hashlib
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import signal
import time

from log_reports import GROUPS, GROUPS_TRUTH, RUNS
from log_sweeps import SWEEPS
from read_wb import Wb

PROJECT = "conformance.written"
STOP_DEADLINE = 120  # seconds; the SDK asks about every fifteen


def digest(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def write(folder, content):
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def log_until_stopped(work):
    """A run as any training loop: the SDK looks now and then whether it was asked to stop, and interrupts the loop."""
    import wandb

    # A shell that starts something in the background has this signal ignored, and then the SDK interrupts nobody.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work = pathlib.Path(work)
    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    run = wandb.init(id="stopped", project=PROJECT, dir=str(work), settings=settings)
    try:
        for step in itertools.count():
            run.log({"loss": 1 / (step + 1)})
            if step == 3:
                (work / "stoppable").write_text("running")
            time.sleep(0.1)
    except KeyboardInterrupt:
        (work / "stoppable").write_text("interrupted")
        run.finish(exit_code=255)


class Writer:
    def __init__(self, work, program):
        self.wb = Wb(work, program)
        self.work = work / "written-sources"
        self.project = f"{self.wb.entity}/{PROJECT}"
        self.expected = {"runs": {}, "gone": [], "artifacts": {}, "gone_artifacts": [], "inputs": {}, "outputs": {}, "references": {}, "collections": {}, "gone_collections": [], "sweeps": {}, "reports": {}, "gone_reports": [], "states": {}, "projects": []}

    def run_written(self):
        path = f"{self.project}/written"
        self.wb.call("run", "create", path, "--name", "made by wb", "--config", "lr=0.5", "--config", 'nested={"a": {"b": [1, null]}}', "--tag", "first")
        self.wb.call("run", "update", path, "--config", "lr=0.25", "--config", "text=plain", "--summary", "loss=0.125", "--summary", 'deep={"x": 1}')
        self.wb.call("run", "update", path, "--tag", "second", "--untag", "first", "--notes", "ünïcödé\nnotes", "--name", "renamed", "--group", "a group", "--job-type", "by hand")
        self.wb.call("run", "update", path, "--config", "nested.c=1", "--unset-config", "nested.a.b", "--summary", "gone=1")
        self.wb.call("run", "update", path, "--unset-summary", "gone", "--summary", "odd=NaN", "--summary", 'list=[1, "a", null]')
        files = {"deleted.txt": b"not for long\n", "result.txt": b"a result\n", "deep/er/data.bin": random.Random(8).randbytes(700_000), "empty.bin": b""}
        folder = write(self.work / "files", files)
        self.wb.call("run", "upload", path, *(str(folder / name) for name in files), "--root", str(folder))
        self.wb.call("run", "delete-files", path, "deleted.txt", "--yes")
        del files["deleted.txt"]
        self.expected["runs"]["written"] = {
            "config": {"lr": 0.25, "nested": {"a": {}, "c": 1}, "text": "plain"},
            "summary": {"loss": 0.125, "deep": {"x": 1}, "odd": "NaN", "list": [1, "a", None]},
            "group": "a group",
            "job_type": "by hand",
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

    def states(self):
        """A run of the SDK is asked to stop, and one without a process is called failed. Whether the SDK hears it is seen at the end."""
        self.stopping = process = multiprocessing.get_context("spawn").Process(target=log_until_stopped, args=(str(self.work),))
        process.start()
        waited = time.monotonic()
        while not (self.work / "stoppable").exists():
            if time.monotonic() - waited > STOP_DEADLINE or not process.is_alive():
                raise AssertionError("the run that is to be stopped did not start")
            time.sleep(0.2)
        self.wb.call("run", "stop", f"{self.project}/stopped", "--yes")
        self.wb.call("run", "create", f"{self.project}/failed")
        self.wb.call("run", "set-state", f"{self.project}/failed", "failed", "--yes")
        self.expected["states"]["failed"] = "failed"

    def stop_is_heard(self):
        self.stopping.join(STOP_DEADLINE)
        if self.stopping.is_alive():
            self.stopping.kill()
            raise AssertionError(f"the SDK did not stop within {STOP_DEADLINE} s of `wb run stop`")
        if (self.work / "stoppable").read_text() != "interrupted":
            raise AssertionError("the run ended, and not because it was stopped")
        self.expected["states"]["stopped"] = "killed"

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

    def references(self):
        """What stays where it is: a file on this machine, and objects of other schemes."""
        local = write(self.work / "referenced", {"here.bin": b"local bytes\n"}) / "here.bin"
        uris = [f"local/here.bin={local.as_uri()}", "elsewhere=custom://bucket/key"]
        name = f"{self.project}/references-by-wb"
        self.wb.call("artifact", "put", *(part for uri in uris for part in ("--reference", uri)), "--name", name, "--type", "dataset")
        self.expected["references"]["references-by-wb:v0"] = {"local/here.bin": local.as_uri(), "elsewhere": "custom://bucket/key"}

    def collections(self):
        """Tags and description of a collection, another name, time to live and tags of a version, a portfolio, and what is deleted."""
        for text in (b"1", b"2"):
            self.put("collected", {"x": text}, type_name="collected-type")
        name = f"{self.project}/collected"
        self.wb.call("artifact", "collection", "update", name, "--description", "über", "--tag", "kept", "--tag", "dropped")
        self.wb.call("artifact", "collection", "update", name, "--untag", "dropped", "--rename", "collected-again")
        name = f"{self.project}/collected-again"
        self.wb.call("artifact", "update", f"{name}:v0", "--ttl", "30d", "--tag", "first", "--tag", "second")
        self.wb.call("artifact", "update", f"{name}:v0", "--untag", "first")
        self.wb.call("artifact", "link", f"{name}:v1", f"{self.project}/shelf-by-wb", "--alias", "released")
        self.wb.call("artifact", "link", f"{name}:v0", f"{self.project}/shelf-by-wb")
        self.wb.call("artifact", "unlink", f"{self.project}/shelf-by-wb:v1", "--yes")
        versions = {"collected-again:v0": {"ttl": 30 * 86400, "tags": ["second"]}, "collected-again:v1": {"ttl": None, "tags": []}}
        self.expected["collections"]["collected-again"] = {"type": "collected-type", "description": "über", "tags": ["kept"], "versions": versions, "linked": {"shelf-by-wb": ["collected-again:v1"]}}
        self.put("collection-gone", {"x": b"x"}, type_name="gone-type")
        self.wb.call("artifact", "collection", "delete", f"{self.project}/collection-gone", "--yes")
        self.expected["gone_collections"].append(["gone-type", "collection-gone"])

    def sweeps(self):
        """JSON is YAML, so the configs that the official agent ran serve here as well. Each state that wb can set is set once."""
        folder = write(self.work / "sweeps", {f"{label}.yaml": json.dumps(config).encode() for label, config in SWEEPS.items()})
        verbs = {"grid": ("pause", "PAUSED"), "random": ("cancel", "CANCELED"), "bayes": ("stop", "FINISHED")}
        for label, config in SWEEPS.items():
            path = self.wb.call("sweep", "create", self.project, str(folder / f"{label}.yaml")).strip()
            verb, state = verbs.get(label, (None, "PENDING"))
            if verb:
                # Only a sweep that runs can be paused.
                self.wb.call("sweep", "resume", path)
                self.wb.call("sweep", verb, path, *(() if verb == "pause" else ("--yes",)))
            self.expected["sweeps"][path] = {"config": config, "state": state}

    def reports(self):
        for name, (config, loss, tags, _) in RUNS.items():
            values = [f"--config={key}={json.dumps(value)}" for key, value in config.items()]
            self.wb.call("run", "create", f"{self.project}-reports/{name}", *values, f"--summary=loss={loss}", *(f"--tag={tag}" for tag in tags))
        project = f"{self.project}-reports"
        spec = write(self.work / "reports", {"groups.json": json.dumps(GROUPS).encode(), "empty.json": b'{"version": 5, "blocks": []}'})
        made = self.wb.document("report", "create", project, "--title", "Groups — by wb", "--description", "über", "--spec", str(spec / "groups.json"))
        self.wb.call("report", "update", made["url"], "--description", "changed")
        text = self.wb.document("report", "create", project, "--title", "First title", "--spec", str(spec / "empty.json"))
        self.wb.call("report", "update", text["url"], "--title", "Second title")
        self.wb.call("report", "create", project, "--title", "Draft", "--draft")
        gone = self.wb.document("report", "create", project, "--title", "Gone")
        self.wb.call("report", "delete", gone["url"], "--yes")
        # Runs that wb made have no process that ends them: all are running, and no filter of state lets them pass.
        sections = [{**section, "all": [], "selected": []} if section["run_sets"] == ["multi-layer"] else section for section in GROUPS_TRUTH]
        self.expected["reports"] = {
            made["id"]: {"display_name": "Groups — by wb", "description": "changed", "spec": GROUPS, "sections": sections},
            text["id"]: {"display_name": "Second title", "description": "", "spec": {"version": 5, "blocks": []}, "sections": None},
        }

    def projects(self):
        self.wb.call("project", "create", f"{self.wb.entity}/made-by-wb")
        self.expected["projects"].append("made-by-wb")

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
    steps = (writer.run_written, writer.run_of_the_sdk_is_patched, writer.run_deleted, writer.states, writer.artifacts, writer.edges, writer.references, writer.collections, writer.sweeps, writer.reports, writer.projects, writer.stop_is_heard)
    for step in steps:
        step()
    (arguments.work / "written.json").write_text(json.dumps({"entity": os.environ["WANDB_ENTITY"], **writer.expected}, ensure_ascii=False))
    counts = {"runs": "runs", "artifacts": "artifact versions", "sweeps": "sweeps", "reports": "reports"}
    print("  wb wrote " + ", ".join(f"{len(writer.expected[key])} {what}" for key, what in counts.items()))


if __name__ == "__main__":
    main()
