"""What both clients are asked about sweeps. See questions.py for what a question is."""

import json

from log_sweeps import PROJECT


def questions(work):
    path = work / "sweeps.json"
    if not path.exists():
        return
    yield {"kind": "sweeps", "project": PROJECT}
    for label, sweep in json.loads(path.read_text()).items():
        place = {"project": PROJECT, "name": label, "sweep": sweep}
        yield {"kind": "sweep", **place}
        yield {"kind": "sweep_runs", **place}
        yield {"kind": "best_run", **place}
        yield {"kind": "best_run", **place, "order": "-summary_metrics.loss"}
    yield {"kind": "missing_sweep", "project": PROJECT, "name": "none", "sweep": "no-such-sweep"}
