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
            for name in ("notes", "name", "group", "job_type"):
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
        for run_id, state in self.expected["states"].items():
            self.same(f"{run_id} state", state, wandb.Api().run(f"{self.project}/{run_id}").state)
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

    def references(self):
        for name, expected in self.expected["references"].items():
            entries = wandb.Api().artifact(f"{self.project}/{name}").manifest.entries
            self.same(f"{name} references", expected, {path: entry.ref for path, entry in entries.items()})
            local = next(path for path, uri in expected.items() if uri.startswith("file:"))
            self.same(f"{name} {local} digest", digest(pathlib.Path(expected[local].removeprefix("file://")))["md5"], entries[local].digest)

    def collections(self):
        for name, expected in self.expected["collections"].items():
            collection = wandb.Api().artifact_collection(expected["type"], f"{self.project}/{name}")
            self.same(f"{name} description", expected["description"], collection.description)
            self.same(f"{name} tags", expected["tags"], sorted(collection.tags))
            self.same(f"{name} type", expected["type"], collection.type)
            self.same(f"{name} versions", sorted(expected["versions"]), sorted(version.name for version in collection.artifacts()))
            for version, values in expected["versions"].items():
                artifact = wandb.Api().artifact(f"{self.project}/{version}")
                self.same(f"{version} ttl", values["ttl"], artifact.ttl and artifact.ttl.total_seconds())
                self.same(f"{version} tags", values["tags"], sorted(artifact.tags))
            for portfolio, sources in expected["linked"].items():
                linked = wandb.Api().artifact_collection(expected["type"], f"{self.project}/{portfolio}").artifacts()
                self.same(f"{portfolio} links", sources, sorted(link.source_name for link in linked))
        for kind, name in self.expected["gone_collections"]:
            self.same(f"collection {name} is gone", False, wandb.Api().artifact_collection_exists(f"{self.project}/{name}", kind))

    def sweeps(self):
        for path, expected in self.expected["sweeps"].items():
            sweep = wandb.Api().sweep(path)
            self.same(f"sweep {path} config", expected["config"], sweep.config)
            self.same(f"sweep {path} state", expected["state"], sweep.state)
        listed = wandb.Api().project(PROJECT, self.expected["entity"]).sweeps()
        self.same("sweeps of the project", sorted(path.split("/")[-1] for path in self.expected["sweeps"]), sorted(sweep.id for sweep in listed))

    def reports(self):
        reports = {report.id: report for report in wandb.Api().reports(f"{self.project}-reports")}
        # Drafts are not listed, and what was deleted is gone.
        self.same("reports of the project", sorted(self.expected["reports"]), sorted(reports))
        for report_id, expected in self.expected["reports"].items():
            report = reports.get(report_id)
            if report is None:
                continue
            title = expected["display_name"]
            self.same(f"report {title} title", title, report.display_name)
            self.same(f"report {title} description", expected["description"], report.description)
            self.same(f"report {title} user", wandb.Api().viewer.username, report.user["username"])
            self.same(f"report {title} spec", expected["spec"], report.spec)
            self.same(f"report {title} by its name", [report_id], [found.id for found in wandb.Api().reports(f"{self.project}-reports", name=report.name)])
            for section, truth in zip(report.sections, expected["sections"]) if expected["sections"] else ():
                self.same(f"report {title} run sets", truth["run_sets"], [run_set["name"] for run_set in section["runSets"]])
                for only_selected, wanted in ((False, truth["all"]), (True, truth["selected"])):
                    found = [run.id for run in report.runs(section, only_selected=only_selected)]
                    self.same(f"report {title} runs of {section['name']} ({only_selected=})", wanted, found)

    def projects(self):
        listed = [project.name for project in wandb.Api().projects(self.expected["entity"])]
        for name in self.expected["projects"]:
            self.same(f"project {name} is listed", True, name in listed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    work = parser.parse_args().work
    check = Check(json.loads((work / "written.json").read_text()), work)
    for part in (check.runs, check.artifacts, check.references, check.collections, check.sweeps, check.reports, check.projects):
        part()
    print(f"  the official client read what wb wrote: {check.compared} comparisons, {len(check.wrong)} wrong")
    if check.wrong:
        sys.exit("\n".join(["", "conformance: FAILED: written by wb, read by the official client:", *check.wrong]))


if __name__ == "__main__":
    main()
