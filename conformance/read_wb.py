"""Answers every question with the program `wb`, one process a question.

Reads WORK/questions.json, writes WORK/wb.json.
"""

import argparse
import json
import os
import pathlib
import subprocess
import time

from official_artifacts import digest
from wb_artifacts import WbArtifacts
from wb_reports import WbReports
from wb_sweeps import WbSweeps

NOT_FOUND = 3  # documented exit code


class Wb(WbArtifacts, WbSweeps, WbReports):
    def __init__(self, work, program):
        self.work = work
        self.program = program
        self.entity = os.environ["WANDB_ENTITY"]

    def call(self, *arguments):
        """The output of a call that must succeed."""
        result = subprocess.run([self.program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"wb {' '.join(arguments)}: exit code {result.returncode}: {result.stderr.strip()}")
        return result.stdout

    def document(self, *arguments):
        return json.loads(self.call(*arguments, "--output", "json"))

    def lines(self, *arguments):
        return [json.loads(line) for line in self.call(*arguments, "--output", "jsonl").splitlines()]

    def path(self, question):
        return f"{self.entity}/{question['project']}/{question['run']}"

    def listing(self, question):
        arguments = ["run", "list", f"{self.entity}/{question['project']}"]
        if question.get("filters") is not None:
            arguments += ["--filter", json.dumps(question["filters"], ensure_ascii=False)]
        if question.get("order") is not None:
            arguments += ["--order", question["order"]]
        return arguments

    def answer(self, question):
        return getattr(self, question["kind"])(question)

    def projects(self, question):
        return self.document("project", "list", self.entity)

    def listed(self, question):
        return self.lines(*self.listing(question), "--page-size", str(question["per_page"]))

    def selected(self, question):
        names = [f"{part}.{key}" for part in ("config", "summary") for key in question[part]]
        runs = self.lines(*self.listing(question), "--select", ",".join(names))
        return [{key: run[key] for key in ("id", "config", "summary")} for run in runs]

    def ids(self, question):
        return [run["id"] for run in self.lines(*self.listing(question))]

    def count(self, question):
        return int(self.call(*self.listing(question), "--count"))

    def run(self, question):
        return self.document("run", "view", self.path(question))

    def missing(self, question):
        command = [self.program, "run", "view", self.path(question)]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return "not found" if result.returncode == NOT_FOUND else f"exit code {result.returncode}"

    def history(self, question):
        arguments = ["run", "history", self.path(question), *keys(question)]
        for name in ("samples", "stream"):
            if name in question:
                arguments += [f"--{name}", str(question[name])]
        return self.document(*arguments)

    def scan(self, question, option="--keys"):
        arguments = ["run", "scan", self.path(question), *keys(question, option)]
        for name in ("min_step", "max_step", "page_size"):
            if name in question:
                arguments += [f"--{name.replace('_', '-')}", str(question[name])]
        return self.lines(*arguments)

    def outer(self, question):
        return self.scan(question, "--any-keys")

    def files(self, question):
        return sorted(self.document("run", "files", self.path(question)), key=lambda file: file["name"])

    def bytes(self, question):
        folder = self.work / "wb-files" / question["project"] / question["run"]
        folder.mkdir(parents=True)
        self.call("run", "download", self.path(question), "--root", str(folder))
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): digest(path) for path in found}


def keys(question, option="--keys"):
    if "keys" not in question:
        return []
    return [option, ",".join(key.replace(",", "\\,") for key in question["keys"])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--wb", required=True)
    arguments = parser.parse_args()
    started = time.monotonic()
    client = Wb(arguments.work, arguments.wb)
    asked = json.loads((arguments.work / "questions.json").read_text())
    answers = {}
    for question in asked:
        try:
            answers[question["id"]] = client.answer(question)
        except (RuntimeError, ValueError) as error:  # Compared like any answer, and never equal to one.
            answers[question["id"]] = {"wb_error": str(error)}
    (arguments.work / "wb.json").write_text(json.dumps(answers, ensure_ascii=False, allow_nan=False))
    print(f"  wb: {len(asked)} questions in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
