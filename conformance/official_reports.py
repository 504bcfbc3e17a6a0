"""Answers the questions about reports with the official side; a part of read_official.py.

`wandb.Api()` lists reports and gives the runs of panel groups. It has no sections of blocks, which its own reports
library reads.
"""

import wandb

from log_runs import plain

REPORT_FIELDS = {
    "id": lambda report: report.id,
    "name": lambda report: report.name,
    "display_name": lambda report: report.display_name,
    "description": lambda report: report.description,
    "user": lambda report: {"username": report.user["username"], "email": report.user["email"]},
    "created_at": lambda report: report.created_at,
    "updated_at": lambda report: report.updated_at,
    "url": lambda report: report.url,
    "spec": lambda report: report.spec,
}


class OfficialReports:
    """Mixed into the reader: one method per kind of question."""

    def listed_reports(self, question, name=None):
        return list(wandb.Api().reports(f"{self.entity}/{question['project']}", name=name))

    def found_report(self, question):
        return next(report for report in self.listed_reports(question) if report.id == question["report"])

    @staticmethod
    def shaped_report(report):
        return {name: plain(get(report)) for name, get in REPORT_FIELDS.items()}

    def reports(self, question):
        return [self.shaped_report(report) for report in self.listed_reports(question)]

    def report(self, question):
        """By its id: the one way to a draft, too."""
        view = self.viewed(question["report"])
        return {"title": view["displayName"], "description": view["description"], "name": view["name"], "project": view["project"]["name"]}

    @staticmethod
    def viewed(report_id):
        from wandb_workspaces._graphql import execute_graphql
        from wandb_workspaces.reports.v2 import gql
        from wandb_workspaces.reports.v2.interface import _get_api

        return execute_graphql(_get_api(), gql.view_report, {"reportId": report_id})["view"]

    def missing_report(self, question):
        return "not found" if self.viewed(question["report"]) is None else "found"

    def report_named(self, question):
        return [report.id for report in self.listed_reports(question, name=self.found_report(question).name)]

    def report_sections(self, question):
        report = self.found_report(question)
        if "panelGroups" in report.spec:
            return [[run_set["name"] for run_set in section["runSets"]] for section in report.sections]
        from wandb_workspaces.reports import v2

        sections = []

        def visit(blocks):
            for block in blocks or []:
                if isinstance(block, v2.PanelGrid):
                    sections.append([run_set.name for run_set in block.runsets])
                visit(getattr(block, "collapsed_blocks", None))

        visit(v2.Report.from_url(report.url).blocks)
        return sections

    def report_runs(self, question):
        report = self.found_report(question)
        return [run.id for run in report.runs(report.sections[question["section"]], only_selected=question["only_selected"])]
