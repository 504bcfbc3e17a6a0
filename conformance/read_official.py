"""Answers every question with the official client, `wandb.Api()`.

Reads WORK/truth, writes WORK/questions.json and WORK/official.json. Values are taken as the client gives them; only
non-finite floats become their names, since JSON has no others.
"""

import argparse
import json
import os
import pathlib
import sys
import time

import wandb

import questions
from log_runs import plain
from official_artifacts import OfficialArtifacts, digest
from official_reports import OfficialReports
from official_sweeps import OfficialSweeps

# The attributes of a run, under the names that wb prints.
RUN_FIELDS = {
    "id": lambda run: run.id,
    "name": lambda run: run.name,
    "storage_id": lambda run: run.storage_id,
    "entity": lambda run: run.entity,
    "project": lambda run: run.project,
    "path": lambda run: run.path,
    "url": lambda run: run.url,
    "state": lambda run: run.state,
    "tags": lambda run: run.tags,
    "notes": lambda run: run.notes,
    "description": lambda run: run.description,
    "group": lambda run: run.group,
    "job_type": lambda run: run.job_type,
    "commit": lambda run: run.commit,
    "created_at": lambda run: run.created_at,
    "heartbeat_at": lambda run: run.heartbeat_at,
    "read_only": lambda run: run.read_only,
    "user": lambda run: {"name": run.user.name, "username": run.user.username},
    "sweep_name": lambda run: run.sweep_name,
    "config": lambda run: run.config,
    "summary": lambda run: run.summary_metrics,
    "system_metrics": lambda run: run.system_metrics,
    "history_line_count": lambda run: run.historyLineCount,
}

FILE_FIELDS = {
    "id": lambda file: file.id,
    "name": lambda file: file.name,
    "size": lambda file: file.size,
    "md5": lambda file: file.md5,
    "mimetype": lambda file: file.mimetype,
    "updated_at": lambda file: file.updated_at,
    "url": lambda file: file.url,
}

PROJECT_FIELDS = {
    "id": lambda project: project.id,
    "name": lambda project: project.name,
    "entity": lambda project: project.entity,
    "path": lambda project: project.path,
    "url": lambda project: project.url,
    "created_at": lambda project: project.created_at,
}


def read(fields, thing):
    return {name: plain(get(thing)) for name, get in fields.items()}


class Official(OfficialArtifacts, OfficialSweeps, OfficialReports):
    def __init__(self, work):
        self.work = work
        self.api = wandb.Api()
        self.entity = os.environ["WANDB_ENTITY"]

    def path(self, question):
        return f"{self.entity}/{question['project']}/{question['run']}"

    def runs(self, question, **options):
        # A new client each time: the official one keeps its first answer to a listing and ignores a new page size.
        order = question.get("order") or "+created_at"
        path = f"{self.entity}/{question['project']}"
        return wandb.Api().runs(path, filters=question.get("filters"), order=order, **options)

    def answer(self, question):
        return getattr(self, question["kind"])(question)

    def projects(self, question):
        return [read(PROJECT_FIELDS, project) for project in self.api.projects(self.entity)]

    def listed(self, question):
        runs = self.runs(question, lazy=False, per_page=question["per_page"])
        return [read(RUN_FIELDS, run) for run in runs]

    def selected(self, question):
        return [
            {
                "id": run.id,
                "config": {key: plain(run.config[key]) for key in question["config"] if key in run.config},
                "summary": {key: plain(run.summary_metrics[key]) for key in question["summary"] if key in run.summary_metrics},
            }
            for run in self.runs(question, lazy=False)
        ]

    def ids(self, question):
        return [run.id for run in self.runs(question)]

    def count(self, question):
        return len(self.runs(question))

    def run(self, question):
        return read(RUN_FIELDS, wandb.Api().run(self.path(question)))

    def missing(self, question):
        try:
            wandb.Api().run(self.path(question))
        except wandb.CommError as error:
            if "Could not find run" not in str(error):
                raise
            return "not found"
        return "found"

    def history(self, question):
        options = {key: question[key] for key in ("keys", "samples", "stream") if key in question}
        run = self.api.run(self.path(question))
        return [plain(row) for row in run.history(pandas=False, **options)]

    def scan(self, question):
        options = {key: question[key] for key in ("keys", "min_step", "max_step", "page_size") if key in question}
        run = self.api.run(self.path(question))
        # The official client asks once for every page_size steps, also where there is no row: a run that reaches
        # step 10**9 would take it a million requests.
        if run.lastHistoryStep > 1_000_000:
            options["page_size"] = 2_000_000_000
        return [plain(row) for row in run.scan_history(use_cache=False, **options)]

    def files(self, question):
        run = self.api.run(self.path(question))
        return sorted((read(FILE_FIELDS, file) for file in run.files()), key=lambda file: file["name"])

    def bytes(self, question):
        run = self.api.run(self.path(question))
        folder = self.work / "official-files" / question["project"] / question["run"]
        digests = {}
        for file in run.files():
            file.download(root=str(folder), replace=True).close()
            digests[file.name] = digest(folder / file.name)
        return digests


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    work = parser.parse_args().work
    started = time.monotonic()
    official = Official(work)
    run_ids = {}
    for project in questions.PROJECTS:
        try:
            run_ids[project] = [run.id for run in official.runs({"project": project})]
        except ValueError:
            run_ids[project] = []  # its scenario was not chosen
    logged = {path.stem for path in (work / "truth").iterdir()}
    lost = logged - {run_id for ids in run_ids.values() for run_id in ids}
    if lost:
        sys.exit(f"runs were logged and are not listed: {', '.join(sorted(lost))}")
    asked = questions.questions(work, run_ids)
    answers = {}
    for question in asked:
        if question["kind"] in questions.WITHOUT_OFFICIAL:
            continue
        try:
            answers[question["id"]] = official.answer(question)
        except Exception as error:  # An answer as good as any: it is compared, and must be explained.
            answers[question["id"]] = {"official_error": f"{type(error).__name__}: {error}"}
    (work / "questions.json").write_text(json.dumps(asked, ensure_ascii=False))
    (work / "official.json").write_text(json.dumps(answers, ensure_ascii=False, allow_nan=False))
    print(f"  official client: {len(answers)} questions in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
