"""What both clients are asked. A question is a plain object with an `id`; each reader answers by id.

The questions follow from what was logged (WORK/truth) and from the list of runs, so that a new scenario is asked about
without a change here.
"""

import itertools
import json

import artifact_questions
import report_questions
import sweep_questions

PROJECTS = ["conformance", "conformance.second-one"]

# Kinds that the official client has nothing for; wb is checked against what was logged.
WITHOUT_OFFICIAL = {"outer", "grid_runs"}

# name -> (filter, order). Every documented order key and the operators that people use.
LISTINGS = {
    "default": (None, None),
    "oldest-first": (None, "+created_at"),
    "newest-first": (None, "-created_at"),
    "heartbeat": (None, "-heartbeat_at"),
    "by-config": ({"config.seed": {"$exists": True}}, "-config.seed.value"),
    "by-summary": ({"summary_metrics.loss": {"$exists": True}}, "+summary_metrics.loss"),
    "state": ({"state": "finished"}, None),
    "state-failed": ({"state": "failed"}, None),
    "state-crashed": ({"state": "crashed"}, None),
    "not-finished": ({"state": {"$ne": "finished"}}, None),
    "group": ({"group": "trees"}, None),
    "job-type": ({"jobType": "train"}, None),
    "display-name": ({"display_name": {"$regex": "^very long"}}, None),
    "tag": ({"tags": "linear"}, None),
    "tag-in": ({"tags": {"$in": ["mlp", "two words"]}}, None),
    "config-equal": ({"config.model": "sgd"}, None),
    "config-value": ({"config.model.value": "mlp"}, None),
    "config-range": ({"config.alpha": {"$gt": 0.0001, "$lte": 0.01}}, None),
    "config-nested": ({"config.optimizer.name": "adam"}, None),
    "config-in": ({"config.max_depth": {"$in": [1, 3]}}, None),
    "summary-less": ({"summary_metrics.loss": {"$lt": 0.3}}, None),
    "and-or": ({"$or": [{"group": "trees"}, {"$and": [{"config.model": "sgd"}, {"config.seed": {"$gte": 1}}]}]}, None),
    "nor": ({"$nor": [{"state": "finished"}, {"state": "crashed"}]}, None),
    "run-id": ({"name": {"$in": ["sgd-0", "non-finite", "not there"]}}, None),
    "nothing": ({"config.model": "there is none"}, None),
}

# Parts of config and summary that a listing can ask for alone.
SELECTED = {"config": ["model", "seed", "dotted.key", "never set"], "summary": ["loss", "test/accuracy", "_step", "never set"]}


def questions(work, run_ids):
    """All questions about the runs found, which are given per project, about the artifacts, the sweeps and the reports."""
    asked = list(about_runs(work, run_ids)) if any(run_ids.values()) else []
    asked.extend(artifact_questions.distinct(artifact_questions.questions(work)))
    asked.extend(sweep_questions.questions(work))
    asked.extend(report_questions.questions(work))
    for question in asked:
        question["id"] = identify(question)
    assert len({question["id"] for question in asked}) == len(asked), "two questions have the same id"
    return asked


def about_runs(work, run_ids):
    yield {"kind": "projects"}
    for project in PROJECTS:
        for per_page in (50, 7):
            yield {"kind": "listed", "project": project, "per_page": per_page}
        yield {"kind": "selected", "project": project, **SELECTED}
    for name, (filters, order) in LISTINGS.items():
        yield {"kind": "ids", "project": PROJECTS[0], "name": name, "filters": filters, "order": order}
        yield {"kind": "count", "project": PROJECTS[0], "name": name, "filters": filters}
    for project, run_id in ((project, run_id) for project in PROJECTS for run_id in run_ids[project]):
        yield from about_run(work, project, run_id)
    yield {"kind": "missing", "project": PROJECTS[0], "run": "no-such-run"}
    yield {"kind": "missing", "project": "no-such-project", "run": "no-such-run"}


def identify(question):
    """`scan sgd-0 keys=["loss"]`: what is asked, about what, and how. The first project goes without saying."""
    words = [question["kind"]]
    for key, value in question.items():
        if key in ("run", "name"):
            words.append(value)
        elif key not in ("kind", "filters", "id", "sweep", "report", "title") and value is not None and value != PROJECTS[0]:
            words.append(f"{key}={json.dumps(value, ensure_ascii=False)}")
    return " ".join(words)


def about_run(work, project, run_id):
    place = {"project": project, "run": run_id}
    yield {"kind": "run", **place}
    yield {"kind": "files", **place}
    yield {"kind": "bytes", **place}
    yield {"kind": "history", **place}
    yield {"kind": "history", **place, "samples": 10}
    yield {"kind": "history", **place, "stream": "system"}
    yield {"kind": "scan", **place}
    document = truth(work, run_id)
    if document is None:
        return
    keys = logged_keys(document)
    for key in keys[:4]:
        yield {"kind": "scan", **place, "keys": [key]}
        yield {"kind": "history", **place, "keys": [key], "samples": 100_000}
    for pair in itertools.islice(itertools.combinations(keys, 2), 3):
        yield {"kind": "scan", **place, "keys": list(pair)}
    if len(keys) > 2:
        yield {"kind": "scan", **place, "keys": keys[:8]}
    if keys:
        yield {"kind": "scan", **place, "keys": [keys[0], "never logged"]}
        yield {"kind": "outer", **place, "keys": [*keys[:8], "never logged"]}
        yield {"kind": "outer", **place, "keys": keys[-2:], "page_size": 3 if len(document["rows"]) < 1000 else 333}
    steps = [row["_step"] for row in document["rows"]]
    if len(steps) > 4:
        low, high = steps[len(steps) // 4], steps[3 * len(steps) // 4]
        yield {"kind": "scan", **place, "min_step": low}
        yield {"kind": "scan", **place, "max_step": high}
        yield {"kind": "scan", **place, "min_step": low, "max_step": high, "keys": keys[:1]}
        yield {"kind": "scan", **place, "page_size": 7 if len(steps) < 1000 and steps[-1] < 10_000 else 4096}


def truth(work, run_id):
    """What log_runs.py wrote down about a run; None for a run that it did not log itself."""
    path = work / "truth" / f"{run_id}.json"
    return json.loads(path.read_text()) if path.exists() else None


def logged_keys(document):
    """The metrics of a run in the order of their first row, without the SDK's own and without media."""
    keys = []
    for row in document["rows"]:
        keys.extend(key for key in row if key not in keys and key != "_step")
    return [key for key in keys if key not in document["media"]]
