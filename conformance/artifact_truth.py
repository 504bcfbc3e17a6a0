"""wb's manifests and downloads against what was logged; a part of compare.py."""

import artifact_questions
from log_artifacts import PROJECT


def check(work, asked, answers):
    """How many values were compared, and (question, path, logged, wb) for each that is wrong."""
    by_question = {(question["kind"], question.get("name")): answers[question["id"]] for question in asked if question.get("project") == PROJECT}
    compared, wrong = 0, []
    for name, version in artifact_questions.expected(work).items():
        manifest = by_question[("manifest", name)]
        files = by_question[("artifact_bytes", name)]
        for path, entry in (version["entries"] or {}).items():
            found = manifest.get(path, {})
            for member, value in entry.items():
                compared += 1
                if found.get(member) != value:
                    wrong.append((f"manifest {name}", f"/{path}/{member}", value, found.get(member)))
        if version["entries"] is not None:
            compared += 1
            if sorted(manifest) != sorted(version["entries"]):
                wrong.append((f"manifest {name}", "/", sorted(version["entries"]), sorted(manifest)))
            wanted = {path: entry["size"] for path, entry in version["entries"].items() if "size" in entry}
            sizes = {path: file["size"] for path, file in files.items()} if "wb_error" not in files else files
            compared += len(wanted)
            if sizes != wanted:
                wrong.append((f"artifact_bytes {name}", "/", wanted, sizes))
        for path, file in version.get("downloads", {}).items():
            compared += 1
            if files.get(path) != file:
                wrong.append((f"artifact_bytes {name}", f"/{path}", file, files.get(path)))
    return compared, wrong
