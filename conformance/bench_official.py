"""One measured process of the official client; prints how many items it read and its memory, as one JSON line.

bench_official.py runs PATH PER_PAGE | scan PATH PAGE_SIZE [KEY ...] | first PATH
                  | download NAME ROOT | verify NAME ROOT | manifest NAME ROOT
"""

import json
import os
import pathlib
import sys

import wandb


def memory():
    """VmHWM in bytes of this process and of its children: the helper process that the client starts."""
    total = 0
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if str(os.getpid()) in (fields["Pid"].strip(), fields["PPid"].strip()) and "VmHWM" in fields:
            total += int(fields["VmHWM"].split()[0]) * 1024
    return total


def main():
    kind, path, *rest = sys.argv[1:]
    api = wandb.Api(timeout=120)
    count = 0
    if kind == "runs":
        for run in api.runs(path, lazy=False, per_page=int(rest[0])):
            assert run.config is not None and run.summary_metrics is not None
            count += 1
    elif kind == "scan":
        for _ in api.run(path).scan_history(page_size=int(rest[0]), keys=rest[1:] or None, use_cache=False):
            count += 1
    elif kind == "download":
        api.artifact(path).download(root=rest[0])
    elif kind == "verify":
        api.artifact(path).verify(root=rest[0])
    elif kind == "manifest":
        count = len(api.artifact(path).manifest.entries)
    else:
        next(iter(api.runs(path)))
        count = 1
    print(json.dumps({"count": count, "memory": memory()}))


main()
