"""The artifact workloads of bench.py: download cold, warm and again, verify, and a large manifest.

Both clients start from the same artifacts; the official one downloads unverified, `wb` verifies every byte. Each cold
repetition has an empty cache and an empty target.
"""

import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

SMALL = {"files": 5_000, "size": 8 * 1024}
LARGE = {"files": 4, "size": 512 * 1024 * 1024}
ENTRIES = 200_000


def write_files(folder, files, size):
    """Random content, in blocks, so that the large ones do not fill the memory here."""
    source = random.Random(files)
    for index in range(files):
        path = folder / f"{index % 50:02}" / f"{index:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for start in range(0, size, 1 << 22):
                file.write(source.randbytes(min(1 << 22, size - start)))
    return folder


class Artifacts:
    def __init__(self, bench, work, quick):
        self.bench = bench
        self.work = work / "artifacts"
        self.scale = 10 if quick else 1
        self.times = 3 if quick else 5
        self.set_aside = 0
        self.sets_aside = True
        self.work.mkdir(parents=True)

    def settle(self):
        """The same memory for whoever is next: what others left in it costs a large download up to half of its time again.
        Where that is not allowed (it takes root, on Linux), it stays as it is. What the server sends is in memory again after it."""
        os.sync()
        try:
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
        except OSError:
            return
        for path in sorted((self.work.parent / "server").rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    while file.read(1 << 20):
                        pass

    def fresh(self, name, set_aside=False):
        """An empty folder of this name. One of many files is set aside, not deleted: ext4 avoids inodes that were just freed,
        so that every deletion would slow down whoever makes files next. Few large files are deleted, for the space; not their
        links, for removing one changes the facts by which the cache knows its object, and it would be read again."""
        folder = self.work / name
        if folder.exists() and (self.sets_aside or set_aside):
            self.set_aside += 1
            folder.rename(self.work / f"old-{self.set_aside}")
        elif folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        return folder

    def environment(self, cache):
        return {**os.environ, "WANDB_CACHE_DIR": str(cache), "WANDB_DATA_DIR": str(self.work / "data"), "WANDB_SILENT": "true"}

    def call(self, command, cache):
        """Seconds and peak memory of one process."""
        measured = self.bench.run_with(command, self.environment(cache))
        return measured

    def official(self, verb, name, root, cache):
        script = pathlib.Path(__file__).with_name("bench_official.py")
        return self.call([sys.executable, str(script), verb, name, str(root)], cache)

    def ours(self, verb, name, root, cache, *options):
        return self.call([self.bench.wb, "artifact", verb, name, "--root", str(root), "--quiet", *options], cache)

    def repeat(self, run, prepare):
        results = []
        for _ in range(self.times):
            prepare()
            os.sync()  # what one run left to be written does not slow down the next
            results.append(run())
        middle = results[0]
        middle.seconds = statistics.median(result.seconds for result in results)
        middle.memory = max(result.memory for result in results)
        return middle

    def put(self, name, folder):
        path = self.bench.path("bench-artifacts", name)
        command = [self.bench.wb, "artifact", "put", str(folder), "--name", path, "--type", "dataset", "--quiet"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return f"{path}:v0"

    def downloads(self, title, name, folder):
        """Cold, warm cache, same folder again, and verify, for both clients."""
        rows = {}
        for who, run in (("official", self.official), ("wb", self.ours)):
            cache, root = self.work / f"{who}-cache", self.work / f"{who}-root"

            def empty_all():
                self.fresh(f"{who}-cache")
                self.fresh(f"{who}-root")
                if not self.sets_aside:
                    self.settle()

            rows[who, "cold"] = self.repeat(lambda: run("download", name, root, cache), empty_all)
            rows[who, "warm cache"] = self.repeat(lambda: run("download", name, root, cache), lambda: self.fresh(f"{who}-root"))
            rows[who, "same folder again"] = self.repeat(lambda: run("download", name, root, cache), lambda: None)
            rows[who, "verify"] = self.repeat(lambda: run("verify", name, root, cache), lambda: None)
        linked, links = self.work / "wb-linked", None
        links = self.repeat(lambda: self.ours("download", name, linked, self.work / "wb-cache", "--link", "hard"), lambda: self.fresh("wb-linked", set_aside=True))
        for what in ("cold", "warm cache", "same folder again", "verify"):
            self.bench.add(f"{title}: {what}", rows["official", what], rows["wb", what])
        self.bench.add(f"{title}: warm cache, hard links", rows["official", "warm cache"], links)
        self.bench.notes.append(f"{title}: `md5sum` in {os.cpu_count()} processes over the same files takes {self.md5sum(folder):.2f} s.")
        self.bench.notes.append(
            f"{title}, cold: peak memory {rows['official', 'cold'].memory / 1e6:.0f} MB (official), {rows['wb', 'cold'].memory / 1e6:.0f} MB (wb)."
        )

    def md5sum(self, folder):
        # From memory, as the files are for whoever has just downloaded them.
        for path in folder.rglob("*.bin"):
            path.read_bytes()
        started = time.perf_counter()
        command = f"find {folder} -type f -print0 | xargs -0 -n 64 -P {os.cpu_count()} md5sum"
        if len(list(folder.rglob("*.bin"))) < 64:
            command = command.replace("-n 64", "-n 1")
        subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    def small(self):
        files = SMALL["files"] // self.scale
        folder = write_files(self.fresh("small"), files, SMALL["size"])
        self.downloads(f"{files:,} files of {SMALL['size'] // 1024} KiB", self.put("small", folder), folder)

    def large(self):
        size = LARGE["size"] // self.scale
        self.sets_aside = False
        folder = write_files(self.fresh("large"), LARGE["files"], size)
        self.downloads(f"{LARGE['files']} files of {size // (1 << 20)} MiB", self.put("large", folder), folder)

    def manifest(self):
        count = ENTRIES // self.scale
        name = self.put_manifest("manifest", count)
        cache = self.fresh("manifest-cache")
        root = self.fresh("manifest-root")
        official = self.repeat(lambda: self.official("manifest", name, root, cache), lambda: None)
        ours = self.repeat(lambda: self.call([self.bench.wb, "artifact", "manifest", name, "--output", "jsonl"], cache), lambda: self.fresh("manifest-cache"))
        self.bench.add(f"a manifest of {count:,} entries opened", official, ours)
        planned = self.repeat(lambda: self.ours("download", name, root, cache, "--dry-run"), lambda: None)
        self.bench.notes.append(f"a manifest of {count:,} entries opened and planned: {planned.seconds:.2f} s, {planned.memory / 1e6:.0f} MB (wb).")
        for index in range(count):
            path = root / entry_name(index)
            if index % 1000 == 0:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry_content(index))
        official = self.repeat(lambda: self.official("verify", name, root, cache), lambda: None)
        ours = self.repeat(lambda: self.ours("verify", name, root, cache), lambda: None)
        self.bench.add(f"{count:,} tiny files verified", official, ours)

    def put_manifest(self, name, count):
        """A version whose files hold few distinct contents, made on the wire: 200,000 uploads would only take time."""
        contents = sorted({entry_content(index) for index in range(count)})
        seed = self.fresh("manifest-contents")
        for index, data in enumerate(contents):
            (seed / f"{index}").write_bytes(data)
        self.put(f"{name}-contents", seed)
        entries = {}
        for index in range(count):
            data = entry_content(index)
            entries[entry_name(index)] = {"digest": base64.b64encode(hashlib.md5(data).digest()).decode(), "size": len(data)}
        formula = hashlib.md5(b"wandb-artifact-manifest-v1\n")
        for path in sorted(entries):
            formula.update(f"{path}:{entries[path]['digest']}\n".encode())
        server = self.bench.server
        project = "bench-artifacts"
        created = server.query(
            "mutation Create($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact { id } } }",
            input={
                "artifactCollectionName": name, "artifactTypeName": "dataset", "entityName": server.entity, "projectName": project,
                "digest": formula.hexdigest(), "digestAlgorithm": "MANIFEST_MD5", "clientID": "b" * 128, "sequenceClientID": "s" * 128,
                "aliases": [{"artifactCollectionName": name, "alias": "latest"}], "enableDigestDeduplication": True,
            },
        )["createArtifact"]["artifact"]["id"]
        for entry in entries.values():
            entry["birthArtifactID"] = created
        document = json.dumps({"version": 1, "storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": {"storageLayout": "V2"}, "contents": entries}).encode()
        file = server.query(
            "mutation Manifest($id: ID!, $digest: String!, $entity: String!, $project: String!) { createArtifactManifest(input: {artifactID: $id, "
            'name: "wandb_manifest.json", digest: $digest, entityName: $entity, projectName: $project, runName: "", type: FULL}) '
            "{ artifactManifest { id file { uploadUrl uploadHeaders } } } }",
            id=created, digest=base64.b64encode(hashlib.md5(document).digest()).decode(), entity=server.entity, project=project,
        )["createArtifactManifest"]["artifactManifest"]["file"]
        headers = dict(header.split(":", 1) for header in file["uploadHeaders"] or [])
        urllib.request.urlopen(urllib.request.Request(file["uploadUrl"], document, headers, method="PUT")).read()
        server.query("mutation Commit($id: ID!) { commitArtifact(input: {artifactID: $id}) { artifact { id } } }", id=created)
        return f"{self.bench.path(project, name)}:v0"


def entry_name(index):
    return f"{index // 1000:04}/{index:07}.txt"


def entry_content(index):
    return f"content {index % 97}\n".encode()
