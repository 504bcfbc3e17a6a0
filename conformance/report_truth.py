"""wb's reading of reports against what was written; a part of compare.py."""

import report_questions


def check(work, asked, answers):
    """How many values were compared, and (question, path, written, wb) for each that is wrong."""
    compared, wrong = 0, []

    def same(question, expected, found):
        nonlocal compared
        compared += 1
        if expected != found:
            wrong.append((question["id"], "/", expected, found))

    written = report_questions.written(work)
    for question in asked:
        answer = answers[question["id"]]
        if question["kind"] == "reports":
            listed = sorted(report["id"] for report in written.values() if not report["draft"] and not report.get("deleted"))
            same(question, listed, sorted(report["id"] for report in answer))
            continue
        if question["kind"] not in ("report", "report_sections", "report_runs", "grid_runs"):
            continue
        report = written[question["name"]]
        if question["kind"] == "report":
            same(question, [report["title"], report["description"]], [answer.get("title"), answer.get("description")])
        elif question["kind"] == "report_sections":
            same(question, [section["run_sets"] for section in report["sections"]], answer)
        else:
            section = report["sections"][question["section"]]
            same(question, section["selected" if question["only_selected"] else "all"], answer)
    return compared, wrong
