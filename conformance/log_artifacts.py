"""Logs the artifacts of the conformance test with the official SDK, and writes down what was logged.

As in log_runs.py, a scenario is a function; all of them run in one process, in order, since versions follow each other.
What was logged is written to WORK/artifacts.json: for each version its entries with size and digest, computed here from
the bytes and not taken from either client.

Standard library, wandb, numpy and pillow only. Usage: log_artifacts.py --work DIR [--only PREFIX]
"""

import argparse
import base64
import hashlib
import json
import pathlib
import random
import time

PROJECT = "conformance.artifacts"
MANY_FILES = 5000
MANY_FILE_SIZE = 512

SCENARIOS = {}
LOGGED = []


def scenario(function):
    """Registers a function under its name, with `-` for `_`."""
    SCENARIOS[function.__name__.replace("_", "-")] = function
    return function


def digest(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def start(work, run_id, **options):
    import wandb

    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    return wandb.init(id=run_id, project=PROJECT, dir=str(work), settings=settings, **options)


def write(folder, content):
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def remember(artifact, run_id, content=None, references=(), aliases=(), tags=(), **facts):
    """What a version must be like; `content` is None where the SDK makes the files itself."""
    artifact.wait()
    entries = None
    if content is not None:
        entries = {name: {"size": len(data), "digest": digest(data)} for name, data in content.items()}
        entries.update({name: {"ref": uri} for name, uri in dict(references).items()})
    LOGGED.append(
        {
            "name": artifact.source_name,
            "type": artifact.type,
            "version": artifact.version,
            "run": run_id,
            "entries": entries,
            "aliases": sorted(aliases),
            "tags": sorted(tags),
            **facts,
        }
    )
    return artifact


# --- files ------------------------------------------------------------------------------------------------------------


@scenario
def one_file(work):
    import wandb

    content = {"model.bin": random.Random(1).randbytes(300_000)}
    folder = write(work / "one-file", content)
    metadata = {"accuracy": 0.93, "layers": [64, 32], "nested": {"text": "ünïcödé", "none": None, "flag": True}}
    with start(work, "artifact-one") as run:
        artifact = wandb.Artifact("one-file", "model", description="one file, with metadata", metadata=metadata)
        artifact.add_file(str(folder / "model.bin"))
        run.log_artifact(artifact, aliases=["best", "candidate"], tags=["released", "two words"])
        remember(artifact, run.id, content, aliases=["best", "candidate"], tags=["released", "two words"], metadata=metadata)


@scenario
def directory(work):
    import wandb

    content = {
        "a.txt": b"first\n",
        "empty.bin": b"",
        "deep/er/nested.json": b'{"a": 1}',
        "deep/same-bytes.txt": b"first\n",
        "größe ✓ (1) & 100% #a?.txt": "ünïcödé\n".encode(),
        "space and+plus/tab.txt": b"x",
        "random.bin": random.Random(2).randbytes(2_500_000),
    }
    folder = write(work / "directory", content)
    with start(work, "artifact-directory") as run:
        artifact = wandb.Artifact("directory", "dataset")
        artifact.add_dir(str(folder))
        run.log_artifact(artifact)
        remember(artifact, run.id, content)
        below = wandb.Artifact("directory-below", "dataset")
        below.add_dir(str(folder), name="prefix/of/all")
        run.log_artifact(below)
        remember(below, run.id, {f"prefix/of/all/{name}": data for name, data in content.items()})


@scenario
def versions(work):
    """Ten versions of one collection, each with another alias; some share files, and one is the same as its predecessor."""
    import wandb

    shared = random.Random(3).randbytes(50_000)
    for number in range(10):
        content = {"shared.bin": shared, "number.txt": f"{number}\n".encode()}
        folder = write(work / f"versions-{number}", content)
        run_id = f"artifact-version-{number}"
        with start(work, run_id, config={"number": number}) as run:
            artifact = wandb.Artifact("versions", "dataset", metadata={"number": number})
            artifact.add_dir(str(folder))
            aliases = [f"number-{number}", "moves"]
            run.log_artifact(artifact, aliases=aliases)
            remember(artifact, run_id, content, aliases=aliases)
    with start(work, "artifact-version-again") as run:
        again = wandb.Artifact("versions", "dataset", metadata={"number": 9})
        again.add_dir(str(folder))
        run.log_artifact(again, aliases=["again"])
        again.wait()
        if again.version != "v9":
            raise AssertionError(f"the same bytes became {again.version}, not v9 again")


@scenario
def incremental(work):
    import wandb

    first = {"kept.txt": b"kept\n", "changed.txt": b"before\n"}
    with start(work, "artifact-incremental") as run:
        artifact = wandb.Artifact("incremental", "dataset")
        artifact.add_dir(str(write(work / "incremental-0", first)))
        run.log_artifact(artifact)
        remember(artifact, run.id, first)
        second = {"changed.txt": b"after\n", "added.txt": b"added\n"}
        more = wandb.Artifact("incremental", "dataset", incremental=True)
        more.add_dir(str(write(work / "incremental-1", second)))
        run.log_artifact(more)
        remember(more, run.id, {**first, **second}, digest_is_partial=True)


@scenario
def many_files(work):
    import wandb

    source = random.Random(4)
    content = {f"{index % 50:02}/{index:05}.bin": source.randbytes(MANY_FILE_SIZE) for index in range(MANY_FILES)}
    folder = write(work / "many-files", content)
    with start(work, "artifact-many") as run:
        artifact = wandb.Artifact("many-files", "dataset")
        artifact.add_dir(str(folder))
        run.log_artifact(artifact)
        remember(artifact, run.id, content)


@scenario
def xxh128(work):
    """Another digest algorithm; without the server's feature the SDK falls back to MD5."""
    import wandb

    content = {"a.txt": b"first\n", "b/c.bin": random.Random(5).randbytes(100_000)}
    with start(work, "artifact-xxh128") as run:
        artifact = wandb.Artifact("xxh128", "dataset", digest_algorithm="XXH128")
        artifact.add_dir(str(write(work / "xxh128", content)))
        run.log_artifact(artifact)
        artifact.wait()
        entries = artifact.manifest.entries
        digests = {name: {"size": len(data), "digest": entries[name].digest} for name, data in content.items()}
        remember(artifact, run.id)
        LOGGED[-1]["entries"] = digests


# --- references -------------------------------------------------------------------------------------------------------


@scenario
def references(work):
    import wandb

    content = {"local.txt": b"a local file\n", "more/data.bin": random.Random(6).randbytes(10_000)}
    folder = write(work / "references", content)
    uris = {"tracked/thing": "custom://bucket/some/thing", "tracked/other": "weird+scheme://elsewhere/ünï?q=1"}
    with start(work, "artifact-references") as run:
        artifact = wandb.Artifact("references", "dataset")
        artifact.add_reference(f"file://{folder}/local.txt", name="local.txt")
        artifact.add_reference(f"file://{folder}/more", name="more")
        artifact.add_reference(uris["tracked/thing"], name="tracked/thing")
        artifact.add_reference(uris["tracked/other"], name="tracked/other", checksum=False)
        run.log_artifact(artifact)
        remember(artifact, run.id)
        LOGGED[-1]["references"] = [*content, *uris]


@scenario
def artifact_reference(work):
    """An entry that points into another artifact."""
    import wandb

    content = {"inner.txt": b"inner bytes\n"}
    with start(work, "artifact-pointing") as run:
        inner = wandb.Artifact("pointed-at", "dataset")
        inner.add_dir(str(write(work / "pointed-at", content)))
        run.log_artifact(inner)
        remember(inner, run.id, content)
        outer = wandb.Artifact("pointing", "dataset")
        outer.add_reference(inner.get_entry("inner.txt").ref_url(), name="outer.txt")
        outer.add_file(str(work / "pointed-at" / "inner.txt"), name="own.txt")
        run.log_artifact(outer)
        remember(outer, run.id)
        LOGGED[-1]["downloads"] = {name: {"size": 12, "md5": digest(content["inner.txt"])} for name in ("outer.txt", "own.txt")}


# --- media ------------------------------------------------------------------------------------------------------------


@scenario
def tables_and_images(work):
    import numpy
    import wandb

    generator = numpy.random.default_rng(7)
    pixels = generator.integers(0, 255, (24, 32, 3), dtype=numpy.uint8)
    classes = wandb.Classes([{"id": 0, "name": "cat"}, {"id": 1, "name": "dög"}])
    boxes = {"predictions": {"box_data": [{"position": {"minX": 0.1, "maxX": 0.5, "minY": 0.2, "maxY": 0.8}, "class_id": 1, "box_caption": "b", "scores": {"p": 0.5}}], "class_labels": {0: "cat", 1: "dög"}}}
    masks = {"truth": {"mask_data": (pixels[:, :, 0] > 127).astype(numpy.uint8), "class_labels": {0: "cat", 1: "dög"}}}
    table = wandb.Table(
        columns=["text", "number", "flag", "maybe", "list", "image"],
        data=[
            ["ä", 1.5, True, None, [1, 2], wandb.Image(pixels, caption="first")],
            ["b", -2.0, False, 3, [], wandb.Image(255 - pixels)],
        ],
    )
    with start(work, "artifact-media") as run:
        artifact = wandb.Artifact("media", "media")
        artifact.add(table, "examples")
        artifact.add(wandb.Image(pixels, boxes=boxes, masks=masks, classes=classes), "annotated")
        artifact.add(wandb.Html("<b>héllo</b>"), "page")
        run.log_artifact(artifact)
        remember(artifact, run.id)
        run.log({"logged_table": wandb.Table(columns=["k", "v"], data=[["x", 1], ["y", 2]])})


# --- life cycle -------------------------------------------------------------------------------------------------------


@scenario
def used_and_linked(work):
    """Consumers of an artifact, and a collection that it is linked into."""
    import wandb

    content = {"weights.bin": b"w" * 1000}
    with start(work, "artifact-producer") as run:
        artifact = wandb.Artifact("lineage", "model")
        artifact.add_dir(str(write(work / "lineage", content)))
        run.log_artifact(artifact)
        remember(artifact, run.id, content)
    for number in range(3):
        with start(work, f"artifact-consumer-{number}", job_type="evaluate") as run:
            used = run.use_artifact("lineage:latest")
            derived = wandb.Artifact(f"derived-{number}", "report")
            with derived.new_file("text.txt") as file:
                file.write(f"report {number}\n")
            run.log_artifact(derived)
            remember(derived, run.id, {"text.txt": f"report {number}\n".encode()})
    with start(work, "artifact-linker") as run:
        run.link_artifact(run.use_artifact("lineage:v0"), f"{PROJECT}/portfolio", aliases=["production"])


@scenario
def edited_and_deleted(work):
    """Edited afterwards through the public API; one version is deleted, and its number must not come back."""
    import wandb

    with start(work, "artifact-edited") as run:
        for number in range(3):
            content = {"number.txt": f"edited {number}\n".encode()}
            artifact = wandb.Artifact("edited", "dataset")
            artifact.add_dir(str(write(work / f"edited-{number}", content)))
            run.log_artifact(artifact)
            artifact.wait()
    path = f"{PROJECT}/edited"
    api = wandb.Api()
    edited = api.artifact(f"{path}:v0")
    edited.description = "described afterwards"
    edited.metadata["added"] = {"by": "api"}
    edited.aliases.append("kept")
    edited.tags.append("tagged")
    edited.save()
    api.artifact(f"{path}:v1").delete(delete_aliases=True)
    with start(work, "artifact-edited-again") as run:
        artifact = wandb.Artifact("edited", "dataset")
        artifact.add_dir(str(write(work / "edited-3", {"number.txt": b"edited 3\n"})))
        run.log_artifact(artifact)
        remember(artifact, run.id, {"number.txt": b"edited 3\n"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    work = arguments.work / "artifact-sources"
    work.mkdir(parents=True, exist_ok=True)
    for name, function in SCENARIOS.items():
        if not name.startswith(arguments.only):
            continue
        started = time.monotonic()
        function(work)
        print(f"  logged {name:<28} {time.monotonic() - started:5.1f} s", flush=True)
    (arguments.work / "artifacts.json").write_text(json.dumps(LOGGED, ensure_ascii=False))


if __name__ == "__main__":
    main()
