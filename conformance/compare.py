"""Compares the answers of both clients value by value, and wb's rows with what was logged.

Reads WORK/questions.json, official.json, wb.json and truth; prints a table; ends with 1 when a difference is not
explained by differences.toml, when an entry there explains nothing, or when too few values were compared.
Standard library only.
"""

import argparse
import collections
import json
import pathlib
import re
import sys
import tomllib

import artifact_truth
import questions
import report_truth

FEWEST_VALUES = 1000
SHOWN = 40


class Absent:
    """A value that one side does not have; not the same as null."""

    def __repr__(self):
        return "(absent)"


ABSENT = Absent()


def same(left, right):
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left == right  # Python compares an integer with a float exactly; 1 and 1.0 are one number
    return type(left) is type(right) and left == right


def leaves(value):
    if isinstance(value, dict) and value:
        return sum(leaves(item) for item in value.values())
    if isinstance(value, list) and value:
        return sum(leaves(item) for item in value)
    return 1


def differences(left, right, path=""):
    """Yields (path, left, right) for each value that differs; paths are joined with `/`."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys(), key=str):
            yield from differences(left.get(key, ABSENT), right.get(key, ABSENT), f"{path}/{key}")
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            yield from differences(
                left[index] if index < len(left) else ABSENT, right[index] if index < len(right) else ABSENT, f"{path}/{index}"
            )
    elif not same(left, right):
        yield path or "/", left, right


def shape(question, answer):
    """Rows by step and runs by id, so that one missing row shows as one; the order is compared beside."""
    key = {"history": "_step", "scan": "_step", "outer": "_step", "listed": "id", "selected": "id", "projects": "name", "files": "name", "versions": "version", "collections": "name", "artifact_files": "name", "sweeps": "id", "reports": "id"}.get(question["kind"])
    if key is None or not isinstance(answer, list):
        return answer
    names = [item.get(key) for item in answer]
    if len(set(names)) < len(names) or None in names:
        return answer
    return {"order": names, "items": {str(item[key]): item for item in answer}}


def pattern(text):
    """`*` stands for anything; every other character for itself."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)


class Entry:
    """One deliberate difference."""

    KNOWN = {"question", "path", "official", "wb", "reason"}

    def __init__(self, table):
        unknown = table.keys() - self.KNOWN
        if unknown or not table.get("reason", "").strip() or "question" not in table or "path" not in table:
            sys.exit(f"differences.toml: an entry needs question, path and reason, and knows no {sorted(unknown)}: {table}")
        self.table = table
        self.question = pattern(table["question"])
        self.path = pattern(table["path"])
        self.used = 0

    def explains(self, question_id, path, official, wb):
        fits = (
            self.question.fullmatch(question_id)
            and self.path.fullmatch(path)
            and self.value_fits(self.table.get("official"), official)
            and self.value_fits(self.table.get("wb"), wb)
        )
        self.used += bool(fits)
        return bool(fits)

    @staticmethod
    def value_fits(wanted, value):
        """`wanted` is "absent", "present", or the value as JSON; nothing said means anything."""
        if wanted is None:
            return True
        if wanted in ("absent", "present"):
            return (value is ABSENT) == (wanted == "absent")
        return value is not ABSENT and same(json.loads(wanted), value)


def expected_rows(document, question):
    """What a scan must give, from what was logged. Without the SDK's own keys and media, whose values it makes itself."""
    rows = []
    for row in document["rows"]:
        if not question.get("min_step", 0) <= row["_step"] < question.get("max_step", float("inf")):
            continue
        if "keys" in question:
            found = [key for key in question["keys"] if key in row]
            enough = len(found) == len(question["keys"]) if question["kind"] == "scan" else found
            if not enough:
                continue
            row = {key: row[key] for key in ["_step", *found]}
        rows.append(row)
    return rows


def without_own(row, document):
    own = {"_timestamp", "_runtime", *document["media"]}
    return {key: value for key, value in row.items() if key not in own}


def check_truth(work, asked, answers):
    """Differences between wb's scans and what was logged, and how many values were compared."""
    compared, wrong = 0, []
    for question in asked:
        if question["kind"] not in ("scan", "outer") or (document := questions.truth(work, question["run"])) is None:
            continue
        answer = answers[question["id"]]
        if isinstance(answer, list):
            answer = [without_own(row, document) for row in answer]
            answer = [row for row in answer if row.keys() != {"_step"}]
        expected = expected_rows(document, question)
        compared += leaves(expected)
        wrong.extend((question["id"], *difference) for difference in differences(shape(question, expected), shape(question, answer)))
    return compared, wrong


def short(value):
    text = repr(value) if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text)} characters)"


def show(title, found):
    print(f"\n{title}:")
    for question_id, path, left, right in found[:SHOWN]:
        print(f"  {question_id}\n    {path}\n      official: {short(left)}\n      wb:       {short(right)}")
    if len(found) > SHOWN:
        print(f"  … and {len(found) - SHOWN} more")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--partial", action="store_true", help="not all scenarios were logged")
    arguments = parser.parse_args()
    work = arguments.work
    asked = json.loads((work / "questions.json").read_text())
    official = json.loads((work / "official.json").read_text())
    wb = json.loads((work / "wb.json").read_text())
    entries_file = pathlib.Path(__file__).with_name("differences.toml")
    entries = [Entry(table) for table in tomllib.loads(entries_file.read_text()).get("difference", [])]

    columns = ("questions", "values", "explained", "unexplained")
    table = collections.defaultdict(lambda: dict.fromkeys(columns, 0))
    unexplained = []
    for question in asked:
        if question["kind"] in questions.WITHOUT_OFFICIAL:
            continue
        row = table[question["kind"]]
        left, right = (shape(question, answers[question["id"]]) for answers in (official, wb))
        row["questions"] += 1
        row["values"] += leaves(official[question["id"]])
        for path, mine, theirs in differences(left, right):
            if any(entry.explains(question["id"], path, mine, theirs) for entry in entries):
                row["explained"] += 1
            else:
                row["unexplained"] += 1
                unexplained.append((question["id"], path, mine, theirs))

    runs = {(question["project"], question["run"]) for question in asked if question["kind"] == "run"}
    print(f"\n{len(runs)} runs, read by the official client and by wb\n")
    print(f"{'':<16}" + "".join(f"{column:>13}" for column in columns))
    for kind, row in table.items():
        print(f"{kind:<16}" + "".join(f"{row[column]:>13,}" for column in columns))
    total = {column: sum(row[column] for row in table.values()) for column in columns}
    print(f"{'all':<16}" + "".join(f"{total[column]:>13,}" for column in columns))
    compared, wrong = check_truth(work, asked, wb)
    print(f"\nwb's scans against what was logged: {compared:,} values, {len(wrong):,} wrong")
    compared, wrong_entries = artifact_truth.check(work, asked, wb)
    print(f"wb's manifests and downloads against what was logged: {compared:,} values, {len(wrong_entries):,} wrong")
    compared, wrong_reports = report_truth.check(work, asked, wb)
    print(f"wb's reports against what was written: {compared:,} values, {len(wrong_reports):,} wrong")
    wrong += wrong_entries + wrong_reports

    failures = []
    if unexplained:
        show("differences that differences.toml does not explain", unexplained)
        failures.append(f"{len(unexplained):,} unexplained differences")
    if wrong:
        show("wb's values that are not what was logged (\"official\" is what was logged)", wrong)
        failures.append(f"{len(wrong):,} values are not what was logged")
    if not arguments.partial:
        for entry in entries:
            if not entry.used:
                print(f"\ndifferences.toml: nothing needs this entry: {entry.table}")
                failures.append("an entry of differences.toml explains nothing")
        if total["values"] < FEWEST_VALUES:
            failures.append(f"fewer than {FEWEST_VALUES:,} values were compared")
    if failures:
        sys.exit("\nconformance: FAILED: " + "; ".join(failures))
    print("\nconformance: passed")


if __name__ == "__main__":
    main()
