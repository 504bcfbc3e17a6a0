"""Answers the questions about sweeps with `wb`; a part of read_wb.py."""

import subprocess

from official_sweeps import SWEEP_FIELDS

NOT_FOUND = 3


class WbSweeps:
    """Mixed into the reader: one method per kind of question."""

    def sweep_path(self, question):
        return f"{self.entity}/{question['project']}/{question['sweep']}"

    def sweeps(self, question):
        found = self.lines("sweep", "list", f"{self.entity}/{question['project']}")
        return sorted(({name: sweep[name] for name in SWEEP_FIELDS} for sweep in found), key=lambda sweep: sweep["id"])

    def sweep(self, question):
        sweep = self.document("sweep", "view", self.sweep_path(question))
        return {name: sweep[name] for name in SWEEP_FIELDS}

    def sweep_runs(self, question):
        return [run["id"] for run in self.lines("sweep", "runs", self.sweep_path(question))]

    def best_run(self, question):
        arguments = ["sweep", "best", self.sweep_path(question)]
        if "order" in question:
            arguments += ["--order", question["order"]]
        return self.document(*arguments)["id"]

    def missing_sweep(self, question):
        command = [self.program, "sweep", "view", self.sweep_path(question)]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return "not found" if result.returncode == NOT_FOUND else f"exit code {result.returncode}"
