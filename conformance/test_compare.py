"""Shows that the comparison finds what it is there to find. Runs before each conformance run: python3 -m unittest."""

import json
import pathlib
import tempfile
import unittest

import compare
import questions
from compare import ABSENT


def found(left, right, question=None):
    question = question or {"kind": "run"}
    return list(compare.differences(compare.shape(question, left), compare.shape(question, right)))


class Values(unittest.TestCase):
    def test_numbers_are_equal_by_value_and_only_by_value(self):
        self.assertEqual(found({"a": 1, "b": 0.0}, {"a": 1.0, "b": -0.0}), [])
        self.assertEqual(found(2**53 + 1, float(2**53)), [("/", 2**53 + 1, float(2**53))])
        self.assertEqual(found({"a": 1}, {"a": True}), [("/a", 1, True)])
        self.assertEqual(found({"a": 1}, {"a": "1"}), [("/a", 1, "1")])

    def test_null_absent_and_the_name_of_a_number_are_different_things(self):
        self.assertEqual(found({"a": None}, {}), [("/a", None, ABSENT)])
        self.assertEqual(found({"a": None}, {"a": "NaN"}), [("/a", None, "NaN")])
        self.assertEqual(found({"a": []}, {"a": {}}), [("/a", [], {})])

    def test_a_lost_row_shows_as_one_and_the_order_counts(self):
        question = {"kind": "scan"}
        rows = [{"_step": step, "x": step} for step in range(4)]
        lost = found(rows, rows[:1] + rows[2:], question)
        self.assertIn(("/items/1", {"_step": 1, "x": 1}, ABSENT), lost)
        self.assertNotIn("/items/3/x", [path for path, _, _ in lost])
        self.assertNotEqual(found(rows, rows[::-1], question), [])
        self.assertNotEqual(found(rows, [*rows, rows[0]], question), [], "a row that comes twice")

    def test_an_error_equals_nothing(self):
        self.assertNotEqual(found([], {"wb_error": "exit code 1"}, {"kind": "scan"}), [])
        self.assertNotEqual(found({"official_error": "x"}, {"wb_error": "x"}), [])


class Entries(unittest.TestCase):
    def entry(self, **table):
        return compare.Entry({"question": "scan *", "path": "/items/*/x", "reason": "why", **table})

    def test_an_entry_explains_what_it_names_and_nothing_else(self):
        entry = self.entry(official="null", wb="absent")
        self.assertTrue(entry.explains("scan a", "/items/1/x", None, ABSENT))
        self.assertEqual(entry.used, 1)
        for other in (("run a", "/items/1/x", None, ABSENT), ("scan a", "/items/1/y", None, ABSENT),
                      ("scan a", "/items/1/x", 1, ABSENT), ("scan a", "/items/1/x", None, 2)):
            self.assertFalse(entry.explains(*other), other)
        self.assertEqual(entry.used, 1)

    def test_present_and_absent(self):
        self.assertTrue(self.entry(official="present").explains("scan a", "/items/1/x", None, 1))
        self.assertFalse(self.entry(official="present").explains("scan a", "/items/1/x", ABSENT, 1))

    def test_an_entry_without_a_reason_is_refused(self):
        with self.assertRaises(SystemExit):
            self.entry(reason=" ")
        with self.assertRaises(SystemExit):
            self.entry(oficial="null")


class Truth(unittest.TestCase):
    DOCUMENT = {
        "media": ["picture"],
        "rows": [{"_step": 0, "a": 1}, {"_step": 1, "b": None}, {"_step": 5, "a": 2, "b": 3}],
    }

    def steps(self, **question):
        return [row["_step"] for row in compare.expected_rows(self.DOCUMENT, {"kind": "scan", **question})]

    def test_which_rows_a_scan_must_give(self):
        self.assertEqual(self.steps(), [0, 1, 5])
        self.assertEqual(self.steps(keys=["b"]), [1, 5])
        self.assertEqual(self.steps(keys=["a", "b"]), [5])
        self.assertEqual(self.steps(keys=["a", "never"]), [])
        self.assertEqual(self.steps(keys=["a", "never"], kind="outer"), [0, 5])
        self.assertEqual(self.steps(min_step=1, max_step=5), [1])

    def test_a_wrong_value_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)
            (work / "truth").mkdir()
            (work / "truth" / "r.json").write_text(json.dumps(self.DOCUMENT))
            question = {"kind": "scan", "run": "r", "id": "scan r"}
            right = [{**row, "_timestamp": 1.5, "_runtime": 2} for row in self.DOCUMENT["rows"]]
            right.append({"_step": 6, "_timestamp": 1.5, "_runtime": 2, "picture": {"_type": "image-file"}})
            self.assertEqual(compare.check_truth(work, [question], {"scan r": right})[1], [])
            wrong = json.loads(json.dumps(right))
            wrong[2]["b"] = 4
            self.assertEqual(compare.check_truth(work, [question], {"scan r": wrong})[1], [("scan r", "/items/5/b", 3, 4)])
            self.assertNotEqual(compare.check_truth(work, [question], {"scan r": right[1:]})[1], [])
            self.assertNotEqual(compare.check_truth(work, [question], {"scan r": {"wb_error": "x"}})[1], [])


class Questions(unittest.TestCase):
    def test_every_run_is_asked_about_and_every_question_has_a_name_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)
            (work / "truth").mkdir()
            (work / "truth" / "r.json").write_text(json.dumps(Truth.DOCUMENT))
            runs = {questions.PROJECTS[0]: ["r", "unlogged"], questions.PROJECTS[1]: ["other"]}
            asked = questions.questions(work, runs)
            self.assertEqual({question["run"] for question in asked if question["kind"] == "scan"}, {"r", "unlogged", "other"})
            self.assertEqual(len({question["id"] for question in asked}), len(asked))
            self.assertNotIn("picture", questions.logged_keys(Truth.DOCUMENT))


if __name__ == "__main__":
    unittest.main()
