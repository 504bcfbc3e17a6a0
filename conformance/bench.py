"""Measures `wb` against the official client on one server, whole processes, and prints ratios.

The data are written through the server's own write API (GraphQL and file_stream), without the SDK. Standard library
only; the official client runs in processes of its own (bench_official.py).
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

from bench_artifacts import Artifacts

PROJECT = "bench"
TICKS = os.sysconf("SC_CLK_TCK")
HISTORY_KEYS = [f"train/metric_{number:02}" for number in range(20)]
TWO_KEYS = [HISTORY_KEYS[3], HISTORY_KEYS[11]]


class Server:
    """The embedded server: its address, and what its process used."""

    def __init__(self, process_id):
        self.process_id = process_id
        self.url = urllib.parse.urlsplit(os.environ["WANDB_BASE_URL"])
        self.entity = os.environ["WANDB_ENTITY"]
        token = base64.b64encode(f"api:{os.environ['WANDB_API_KEY']}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self.connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=120)

    def post(self, path, document):
        body = json.dumps(document).encode()
        self.connection.request("POST", self.url.path + path, body, self.headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            sys.exit(f"POST {path}: status {answer.status}: {data[:500]!r}")
        return data

    def query(self, text, **variables):
        answer = json.loads(self.post("/graphql", {"query": text, "variables": variables}))
        if answer.get("errors"):
            sys.exit(f"GraphQL: {answer['errors']}")
        return answer["data"]

    def cpu_seconds(self):
        # The command in parentheses may hold spaces; the fields after it may not.
        fields = pathlib.Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self):
        return peak_memory(self.process_id)


def peak_memory(process_id):
    """VmHWM in bytes; 0 when the process is gone."""
    try:
        for line in pathlib.Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


# --- data -------------------------------------------------------------------------------------------------------------


def fill_runs(server, project, count):
    """Runs with 40 config and 60 summary keys, about 7 KB each."""
    batch = 25
    fields = ", ".join(
        f"$n{i}: String!, $c{i}: JSONString, $s{i}: JSONString" for i in range(batch)
    )
    body = " ".join(
        f"r{i}: upsertBucket(input: {{entityName: $entity, modelName: $project, name: $n{i}, displayName: $n{i}, "
        f'state: "finished", config: $c{i}, summaryMetrics: $s{i}}}) {{ inserted }}'
        for i in range(batch)
    )
    text = f"mutation Fill($entity: String!, $project: String!, {fields}) {{ {body} }}"
    generator = random.Random(1)
    for first in range(0, count, batch):
        variables = {"entity": server.entity, "project": project}
        for i in range(batch):
            number = first + i
            config = {f"parameter_{key:02}": {"value": generator.random() if key % 4 else f"choice {number % 7}"} for key in range(40)}
            config["_wandb"] = {"value": {"cli_version": "0.31.0", "t": {"1": [1, 5]}}}
            summary = {f"metric/value_{key:02}": generator.random() * 1000 for key in range(60)}
            variables |= {f"n{i}": f"run-{number:06}", f"c{i}": json.dumps(config), f"s{i}": json.dumps(summary)}
        server.query(text, **variables)


def fill_history(server, run, count):
    """One run with rows of 20 keys, about 550 bytes each."""
    server.query(
        "mutation Start($entity: String!, $project: String!, $name: String!) { upsertBucket(input: {entityName: $entity, "
        "modelName: $project, name: $name}) { inserted } }",
        entity=server.entity, project=PROJECT, name=run,
    )
    generator = random.Random(2)
    path = f"/files/{server.entity}/{PROJECT}/{run}/file_stream"
    batch = 5000
    for first in range(0, count, batch):
        rows = []
        for step in range(first, min(first + batch, count)):
            row = {"_step": step, "_timestamp": 1.7e9 + step, "_runtime": step / 10}
            row.update((key, generator.random()) for key in HISTORY_KEYS)
            rows.append(json.dumps(row))
        server.post(path, {"files": {"wandb-history.jsonl": {"offset": first, "content": rows}}})
    server.post(path, {"complete": True, "exitcode": 0})


# --- measuring --------------------------------------------------------------------------------------------------------


class Measured:
    def __init__(self, seconds, memory, server_seconds, count):
        self.seconds = seconds
        self.memory = memory
        self.server_seconds = server_seconds
        self.count = count


def watch(process, peak):
    while process.poll() is None:
        peak[0] = max(peak[0], peak_memory(process.pid))
        time.sleep(0.004)


def run_once(server, command, count_lines, environment=None):
    """One whole process. The official client reports its own memory, since it has a helper process."""
    before = server.cpu_seconds()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    peak = [0]
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    errors = []
    drain = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    drain.start()
    lines, last = 0, b""
    descriptor = process.stdout.fileno()
    while chunk := os.read(descriptor, 1 << 20):
        lines += chunk.count(b"\n")
        last = (last + chunk[-4096:])[-4096:]
    process.wait()
    seconds = time.perf_counter() - started
    watcher.join()
    drain.join()
    if process.returncode != 0:
        sys.exit(f"{command}: exit code {process.returncode}: {errors[0].decode(errors='replace')}")
    used = server.cpu_seconds() - before
    if count_lines:
        return Measured(seconds, peak[0], used, lines)
    report = json.loads(last)
    return Measured(seconds, report["memory"], used, report["count"])


def measure(server, command, times, expected, count_lines=True):
    results = [run_once(server, command, count_lines) for _ in range(times)]
    for result in results:
        if result.count != expected:
            sys.exit(f"{command}: {result.count} items instead of {expected}")
    middle = {name: statistics.median(getattr(result, name) for result in results) for name in ("seconds", "server_seconds")}
    return Measured(middle["seconds"], max(result.memory for result in results), middle["server_seconds"], expected)


def drain_seconds(server, times, query, pages):
    """The time of the server and the socket alone: the same pages one after the other, read and thrown away."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        for variables in pages:
            server.post("/graphql", {"query": query, "variables": variables})
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


# --- the table --------------------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, arguments):
        self.server = Server(arguments.server_process)
        self.wb = arguments.wb
        self.times = 3 if arguments.quick else 5
        scale = 10 if arguments.quick else 1
        self.runs, self.rows = 5_000 // scale, 100_000 // scale
        self.rows_out, self.memory_out, self.drained_out, self.notes = [], [], [], []
        self.artifacts = Artifacts(self, arguments.work, arguments.quick)

    def official(self, *arguments, expected):
        script = pathlib.Path(__file__).with_name("bench_official.py")
        return measure(self.server, [sys.executable, str(script), *arguments], self.times, expected, count_lines=False)

    def ours(self, *arguments, expected, times=None):
        return measure(self.server, [self.wb, *arguments, "--output", "jsonl"], times or self.times, expected)

    def run_with(self, command, environment):
        return run_once(self.server, command, command[0] == self.wb, environment)

    def small_files(self):
        self.artifacts.small()

    def large_files(self):
        self.artifacts.large()

    def large_manifest(self):
        self.artifacts.manifest()

    def add(self, title, official, ours):
        print(f"  {title}: official {official.seconds:.2f} s, wb {ours.seconds:.3f} s", flush=True)
        self.rows_out.append(
            f"| {title} | {official.seconds:.2f} s | {ours.seconds:.3f} s | **{official.seconds / ours.seconds:.1f}x** | "
            f"{ours.server_seconds:.2f} s |"
        )

    def add_memory(self, title, official, once, tenfold):
        self.memory_out.append(
            f"| {title} | {megabytes(official)} | {megabytes(once)} | {megabytes(tenfold)} |"
        )

    def path(self, *parts):
        return "/".join((self.server.entity, *parts))

    def list_runs(self):
        fill_runs(self.server, PROJECT, self.runs)
        fill_runs(self.server, PROJECT + "10", self.runs * 10)
        slow = self.official("runs", self.path(PROJECT), "50", expected=self.runs)
        fast = self.official("runs", self.path(PROJECT), "1000", expected=self.runs)
        ours = self.ours("run", "list", self.path(PROJECT), expected=self.runs)
        title = f"{self.runs:,} runs of 40 config and 60 summary keys"
        self.add(title, slow, ours)
        self.add(f"{title}; official client with pages of 1,000", fast, ours)
        tenfold = self.ours("run", "list", self.path(PROJECT + "10"), expected=self.runs * 10, times=1)
        self.add_memory("`wb run list`", fast, ours, tenfold)
        query = (
            "query Drain($e: String!, $p: String!, $after: String) { project(name: $p, entityName: $e) { runs(first: 1000, "
            'after: $after, order: "+created_at") { edges { node { id name displayName state tags createdAt heartbeatAt config '
            "summaryMetrics systemMetrics historyKeys } cursor } pageInfo { endCursor hasNextPage } } } }"
        )
        pages, after = [], None
        while True:
            variables = {"e": self.server.entity, "p": PROJECT, "after": after}
            pages.append(variables)
            info = self.server.query(query, **variables)["project"]["runs"]["pageInfo"]
            after = info["endCursor"]
            if not info["hasNextPage"]:
                break
        self.drained_out.append(("runs", drain_seconds(self.server, self.times, query, pages), ours))

    def scan_history(self):
        fill_history(self.server, "rows", self.rows)
        fill_history(self.server, "rows10", self.rows * 10)
        path, tenfold_path = self.path(PROJECT, "rows"), self.path(PROJECT, "rows10")
        slow = self.official("scan", path, "1000", expected=self.rows)
        fast = self.official("scan", path, "10000", expected=self.rows)
        ours = self.ours("run", "scan", path, expected=self.rows)
        title = f"{self.rows:,} history rows of 20 keys"
        self.add(f"{title}, all keys", slow, ours)
        self.add(f"{title}, all keys; official client with pages of 10,000", fast, ours)
        self.add_memory("`wb run scan`", slow, ours, self.ours("run", "scan", tenfold_path, expected=self.rows * 10, times=1))
        two = ",".join(TWO_KEYS)
        slow = self.official("scan", path, "1000", *TWO_KEYS, expected=self.rows)
        ours_two = self.ours("run", "scan", path, "--keys", two, expected=self.rows)
        self.add(f"{title}, 2 keys", slow, ours_two)
        tenfold = self.ours("run", "scan", tenfold_path, "--keys", two, expected=self.rows * 10, times=1)
        self.add_memory("`wb run scan --keys a,b`", slow, ours_two, tenfold)
        query = (
            "query Drain($e: String!, $p: String!, $from: Int64!, $to: Int64!) { project(name: $p, entityName: $e) { "
            'run(name: "rows") { history(minStep: $from, maxStep: $to, samples: 1000) } } }'
        )
        pages = [
            {"e": self.server.entity, "p": PROJECT, "from": first, "to": first + 1000} for first in range(0, self.rows, 1000)
        ]
        self.drained_out.append(("history, all keys", drain_seconds(self.server, self.times, query, pages), ours))

    def first_run(self):
        server = self.server
        server.query(
            "mutation Start($entity: String!) { upsertBucket(input: {entityName: $entity, modelName: \"one\", name: \"one\"}) "
            "{ inserted } }",
            entity=server.entity,
        )
        slow = self.official("first", self.path("one"), expected=1)
        self.add("process start to the first run printed", slow, self.ours("run", "list", self.path("one"), "--limit", "1", expected=1))

    def report(self):
        lines = [
            f"Official client: wandb 0.31.0 on Python {platform.python_version()}. Machine: {os.cpu_count()} cores, {cpu_model()}. "
            f"Whole processes, medians of {self.times}, one after the other, both on the same `wb serve` on this machine.",
            "",
            "| workload | official | wb | wb is faster by | CPU of the server in wb's time |",
            "|---|---|---|---|---|",
            *self.rows_out,
        ]
        if self.memory_out:
            lines += [
                "",
                "Peak memory (resident; the official client with its helper process), at the size above and at ten times the size:",
                "",
                "| command | official | wb | wb, ten times as much |",
                "|---|---|---|---|",
                *self.memory_out,
            ]
        if self.drained_out or self.notes:
            lines += ["", "Where the time goes:", ""]
        for title, drained, ours in self.drained_out:
            share = ours.server_seconds / ours.seconds
            lines.append(
                f"- {title}: the same pages, asked for one after the other and thrown away, take {drained:.2f} s; `wb` takes "
                f"{ours.seconds:.2f} s, in which the server uses {ours.server_seconds:.2f} s of CPU ({share:.0%} of one core)."
            )
        lines += [f"- {note}" for note in self.notes]
        lines += ["", f"The server's own peak memory over all of this: {megabytes_of(self.server.peak_memory())}."]
        return "\n".join(lines) + "\n"


def megabytes_of(size):
    return f"{size / 1_000_000:.0f} MB"


def megabytes(measured):
    return megabytes_of(measured.memory)


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


WORKLOADS = {"runs": Bench.list_runs, "history": Bench.scan_history, "first": Bench.first_run, "small": Bench.small_files, "large": Bench.large_files, "manifest": Bench.large_manifest}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--wb", required=True)
    parser.add_argument("--server-process", type=int, required=True)
    parser.add_argument("--only", choices=WORKLOADS)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    for name, workload in WORKLOADS.items():
        if arguments.only in (None, name):
            workload(bench)
    report = bench.report()
    (arguments.work / "report.md").write_text(report)
    print(f"\n{report}")


if __name__ == "__main__":
    main()
