"""Answers the questions about reports with `wb`; a part of read_wb.py."""

import subprocess

from official_reports import REPORT_FIELDS

NOT_FOUND = 3


class WbReports:
    """Mixed into the reader: one method per kind of question."""

    def report_place(self, question):
        """The report's own address: entity, project and id say all of it."""
        return f"{self.entity}/{question['project']}/reports/any-title--{question['report'].rstrip('=')}"

    @staticmethod
    def shaped_report(report):
        picked = {name: report[name] for name in REPORT_FIELDS}
        picked["user"] = {name: report["user"][name] for name in ("username", "email")}
        return picked

    def reports(self, question):
        return [self.shaped_report(report) for report in self.lines("report", "list", f"{self.entity}/{question['project']}")]

    def report(self, question):
        report = self.document("report", "view", self.report_place(question))
        return {"title": report["display_name"], "description": report["description"], "name": report["name"], "project": report["project"]}

    def missing_report(self, question):
        command = [self.program, "report", "view", self.report_place(question)]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return "not found" if result.returncode == NOT_FOUND else f"exit code {result.returncode}"

    def report_named(self, question):
        return [report["id"] for report in self.lines("report", "list", f"{self.entity}/{question['project']}", "--name", question["title"])]

    def report_sections(self, question):
        return [section["run_sets"] for section in self.lines("report", "sections", self.report_place(question))]

    def report_runs(self, question):
        arguments = ["report", "runs", self.report_place(question), "--section", str(question["section"])]
        if not question["only_selected"]:
            arguments.append("--all")
        return [run["id"] for run in self.lines(*arguments)]

    def grid_runs(self, question):
        return self.report_runs(question)
