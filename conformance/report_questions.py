"""What both clients are asked about reports. See questions.py for what a question is."""

import json

from log_reports import PROJECT


def written(work):
    """What log_reports.py wrote, by label; nothing if that part was left out."""
    path = work / "reports.json"
    return json.loads(path.read_text()) if path.exists() else {}


def questions(work):
    reports = written(work)
    if not reports:
        return
    yield {"kind": "reports", "project": PROJECT}
    for label, report in reports.items():
        place = {"project": PROJECT, "name": label, "report": report["id"]}
        if report.get("deleted"):
            yield {"kind": "missing_report", **place}
            continue
        yield {"kind": "report", **place}
        if report["draft"]:
            continue
        yield {"kind": "report_named", **place, "title": report["title"]}
        yield {"kind": "report_sections", **place}
        for section in range(len(report["sections"])):
            for only_selected in (True, False):
                kind = "report_runs" if report["form"] == "panelGroups" else "grid_runs"
                yield {"kind": kind, **place, "section": section, "only_selected": only_selected}
