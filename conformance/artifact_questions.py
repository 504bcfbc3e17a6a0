"""What both clients are asked about artifacts. See questions.py for what a question is."""

import itertools
import json

from log_artifacts import PROJECT

TYPES = ["dataset", "media", "model", "report", "run_table"]


def questions(work):
    """All questions about the artifacts that were logged; none when none were."""
    path = work / "artifacts.json"
    if not path.exists():
        return
    logged = json.loads(path.read_text())
    if not logged:
        return
    yield {"kind": "artifact_types", "project": PROJECT}
    for type_name in TYPES:
        yield {"kind": "collections", "project": PROJECT, "type": type_name}
    collections = {(version["name"].split(":")[0], version["type"]) for version in logged}
    for name, type_name in sorted(collections):
        yield {"kind": "versions", "project": PROJECT, "name": name, "type": type_name}
    for version in logged:
        name = f"{version['name'].split(':')[0]}:{version['version']}"
        place = {"project": PROJECT, "name": name}
        yield {"kind": "artifact", **place}
        yield {"kind": "manifest", **place}
        yield {"kind": "artifact_files", **place}
        yield {"kind": "artifact_bytes", **place}
        yield {"kind": "logged_by", **place}
        yield {"kind": "used_by", **place}
        for alias in version["aliases"]:
            yield {"kind": "by_alias", "project": PROJECT, "name": f"{name.split(':')[0]}:{alias}"}
    for run in sorted({version["run"] for version in logged}):
        yield {"kind": "logged_artifacts", "project": PROJECT, "run": run}
        yield {"kind": "used_artifacts", "project": PROJECT, "run": run}
    if any(name == "media" for name, _ in collections):
        for entry in ("examples", "annotated", "page"):
            yield {"kind": "media", "project": PROJECT, "name": "media:v0", "entry": entry}
    if any(name == "lineage" for name, _ in collections):
        yield {"kind": "artifact", "project": PROJECT, "name": "portfolio:production"}
    if any(name == "edited" for name, _ in collections):
        yield {"kind": "versions", "project": PROJECT, "name": "edited", "type": "dataset"}
        yield {"kind": "artifact", "project": PROJECT, "name": "edited:v0"}
        yield {"kind": "missing_artifact", "project": PROJECT, "name": "edited:v1"}
    yield {"kind": "missing_artifact", "project": PROJECT, "name": "never-logged:latest"}
    yield {"kind": "missing_artifact", "project": PROJECT, "name": "one-file:no-such-alias"}
    yield {"kind": "missing_artifact", "project": "no-such-project", "name": "one-file:latest"}


def distinct(asked):
    """The questions in their order, each once: several scenarios may lead to the same one."""
    seen = set()
    for question in asked:
        key = json.dumps(question, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield question


def expected(work):
    """Each logged version under `collection:vN`, with the entries that it must have; None where the SDK made them."""
    path = work / "artifacts.json"
    if not path.exists():
        return {}
    merged = {}
    for version in json.loads(path.read_text()):
        merged[f"{version['name'].split(':')[0]}:{version['version']}"] = version
    return dict(itertools.islice(sorted(merged.items()), None))
