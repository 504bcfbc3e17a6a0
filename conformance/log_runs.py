"""Logs the runs of the conformance test with the official SDK, and writes down what was logged.

Scenarios are functions, grouped in lanes. Each lane is one process, so that several writers are at work at once; a
scenario that must die is a process of its own. Run ids and seeds are fixed: two runs of this script log the same values
(times apart). What was logged is written to WORK/truth/RUN.json, as a third opinion beside the two clients.

Standard library, wandb and scikit-learn only. Usage: log_runs.py --work DIR [--only PREFIX]
"""

import argparse
import json
import math
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

PROJECT = "conformance"
SECOND_PROJECT = "conformance.second-one"
LANE_DEADLINE = 600  # seconds until a lane must have ended; it takes about 30
CRASH_DEADLINE = 240  # seconds until the server must have noticed that a run is dead

SCENARIOS = {}


def scenario(lane):
    """Registers a function under its name, with `-` for `_`."""

    def register(function):
        SCENARIOS[function.__name__.replace("_", "-")] = (lane, function)
        return function

    return register


def plain(value):
    """A value as both clients must show it: non-finite numbers as their names."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Recorder:
    """A run of the SDK that also remembers its rows, by the SDK's own rules of steps."""

    def __init__(self, work, run_id, project=PROJECT, rows=None, **options):
        import wandb

        settings = {"silent": True, "console": "off", "x_disable_stats": True}
        settings.update(options.pop("settings", {}))
        self.truth = work / "truth" / f"{run_id}.json"
        self.rows = {} if rows is None else rows
        self.partial = {}
        self.next_step = max(self.rows, default=-1) + 1
        self.media = set()
        self.run = wandb.init(
            id=run_id,
            project=project,
            dir=str(work),
            settings=wandb.Settings(**settings),
            **options,
        )

    def log(self, values, step=None, commit=None, media=()):
        self.run.log({**values, **dict(media)}, step=step, commit=commit)
        self.media.update(dict(media))
        if step is not None and step > self.next_step:
            self.flush()
            self.next_step = step
        self.partial.update(plain(values))
        if commit or (commit is None and step is None):
            self.flush()
            self.next_step += 1

    def flush(self):
        if self.partial:
            self.rows[self.next_step] = self.partial
            self.partial = {}

    def finish(self, exit_code=None):
        self.run.finish(exit_code=exit_code)
        self.save()
        return self

    def save(self):
        self.flush()
        document = {
            "project": self.run.project,
            "media": sorted(self.media),
            "rows": [{"_step": step, **row} for step, row in sorted(self.rows.items())],
        }
        self.truth.write_text(json.dumps(document, ensure_ascii=False))


# --- training ---------------------------------------------------------------------------------------------------------


def split(loader, seed):
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    features, target = loader(return_X_y=True)
    parts = train_test_split(features, target, test_size=0.25, random_state=seed)
    scaler = StandardScaler().fit(parts[0])
    return scaler.transform(parts[0]), scaler.transform(parts[1]), parts[2], parts[3]


def train_sgd(work, seed, alpha):
    """A linear classifier on the digits, epoch by epoch."""
    import numpy
    from sklearn.datasets import load_digits
    from sklearn.linear_model import SGDClassifier
    from sklearn.metrics import log_loss

    config = {"model": "sgd", "alpha": alpha, "seed": seed, "epochs": 12, "loss": "log_loss"}
    record = Recorder(work, f"sgd-{seed}", group="linear", job_type="train", tags=["linear", "digits"], config=config)
    train, test, train_target, test_target = split(load_digits, seed)
    model = SGDClassifier(loss="log_loss", alpha=alpha, random_state=seed)
    for epoch in range(config["epochs"]):
        model.partial_fit(train, train_target, classes=numpy.unique(train_target))
        record.log(
            {
                "epoch": epoch,
                "train/loss": float(log_loss(train_target, model.predict_proba(train))),
                "test/loss": float(log_loss(test_target, model.predict_proba(test))),
                "test/accuracy": float(model.score(test, test_target)),
            }
        )
    record.finish()


def train_mlp(work, seed, width):
    """A small network on the breast cancer data; the test metrics come every third epoch only."""
    import numpy
    from sklearn.datasets import load_breast_cancer
    from sklearn.neural_network import MLPClassifier

    config = {"model": "mlp", "hidden": [width, width // 2], "seed": seed, "optimizer": {"name": "adam", "lr": 0.003}}
    record = Recorder(work, f"mlp-{seed}", group="networks", job_type="train", tags=["mlp"], config=config)
    train, test, train_target, test_target = split(load_breast_cancer, seed)
    model = MLPClassifier(hidden_layer_sizes=tuple(config["hidden"]), learning_rate_init=0.003, random_state=seed)
    for epoch in range(15):
        model.partial_fit(train, train_target, classes=numpy.unique(train_target))
        values = {"epoch": epoch, "loss": float(model.loss_)}
        if epoch % 3 == 2:
            values["accuracy"] = float(model.score(test, test_target))
        record.log(values)
    record.run.summary["weights"] = int(sum(layer.size for layer in model.coefs_))
    record.finish()


def train_boosting(work, seed, depth):
    """Boosted trees on the diabetes data; one row per stage, known after the fit."""
    from sklearn.datasets import load_diabetes
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.metrics import mean_squared_error

    config = {"model": "boosting", "max_depth": depth, "seed": seed, "n_estimators": 60}
    record = Recorder(work, f"boosting-{seed}", group="trees", job_type="train", config=config, notes="one row per stage")
    train, test, train_target, test_target = split(load_diabetes, seed)
    model = GradientBoostingRegressor(n_estimators=60, max_depth=depth, random_state=seed).fit(train, train_target)
    for stage, predicted in enumerate(model.staged_predict(test)):
        record.log({"train/deviance": float(model.train_score_[stage]), "test/mse": float(mean_squared_error(test_target, predicted))})
    for name, importance in zip(("age", "sex", "bmi"), model.feature_importances_):
        record.run.summary[f"importance.{name}"] = float(importance)
    record.finish()


@scenario("one")
def life_created_and_deleted(work):
    """One run is created and never written to: it must be called crashed as well. Another is deleted."""
    import wandb

    api = wandb.Api()
    api.create_run(run_id="created", project=PROJECT)
    api.create_run(run_id="deleted", project=PROJECT)
    api.run(f"{PROJECT}/deleted").delete()


@scenario("one")
def training_linear(work):
    for seed, alpha in ((0, 0.0001), (1, 0.001), (2, 0.01)):
        train_sgd(work, seed, alpha)


@scenario("two")
def training_networks(work):
    for seed, width in ((0, 8), (1, 16), (2, 32)):
        train_mlp(work, seed, width)


@scenario("two")
def training_trees(work):
    for seed, depth in ((0, 1), (1, 2), (2, 3)):
        train_boosting(work, seed, depth)


# --- awkward values ---------------------------------------------------------------------------------------------------


@scenario("one")
def config_nested(work):
    config = {
        "nested": {"a": {"b": {"c": [1, 2, {"d": None}]}}, "empty": {}, "list": []},
        "dotted.key": 1,
        "dotted": {"key": 2},
        "a/b c": "slash and space",
        "wrapped": {"value": 3, "other": 4},
        "wrapped_twice": {"value": {"value": 5}},
        "only_value": {"value": 6},
        "value": 7,
        "desc": "not a description",
        "none": None,
        "yes": True,
        "zero": 0,
        "negative": -1.5,
        "tiny": 5e-324,
        "large": 1.7976931348623157e308,
        "big_integer": 2**53 + 1,
        "integral_float": 2.0,
        "text": 'quotes " and \\ and \n lines \t tabs',
        "日本語": "ключ",
        "emoji 🦀": "🏃",
    }
    record = Recorder(work, "config-nested", config=config)
    record.run.config.update({"added.later": [1, "two", 3.5], "zero": 0.5}, allow_val_change=True)
    record.log({"loss": 0.25})
    record.finish()


@scenario("one")
def names_unicode(work):
    record = Recorder(
        work,
        "names-unicode",
        name="実験 № 7 – «naïve» 🦀\u200b",
        notes="first line\nsecond line: ünïcödé\n\n\ttabbed 🎉 \"quoted\" \\ back",
        tags=["ümlaut", "two words", "日本", "a.b/c:d"],
        group="groupe d'été",
        job_type="évaluation",
        config={"x": 1},
    )
    record.log({"μετρική": 1.5, "loss 🦀": 2, "with space": 3, "slash/and.dot": 4})
    record.finish()


@scenario("one")
def names_long(work):
    record = Recorder(work, "names-long", name="very long name " * 8, notes="n" * 5000, tags=["t" * 60])
    record.log({"k" * 200: 1.0, "loss": 0.5, "text": "x" * 20000})
    record.finish()


@scenario("one")
def non_finite(work):
    record = Recorder(work, "non-finite", config={"ok": 1})
    nan, infinity = float("nan"), float("inf")
    for step in range(12):
        record.log(
            {
                "nan": nan if step % 2 else float(step),
                "plus": infinity if step % 3 == 0 else float(step),
                "minus": -infinity if step % 4 == 0 else float(step),
                "nothing": None if step % 2 else step,
                "text": ["NaN", "Infinity", "-Infinity", "null", ""][step % 5],
                "finite": step / 4,
                "nested": {"nan": nan, "list": [nan, infinity, -infinity, None, 1]},
            }
        )
    record.finish()


@scenario("one")
def value_types(work):
    record = Recorder(work, "value-types")
    random.seed(7)
    for step in range(8):
        record.log(
            {
                "flag": step % 2 == 0,
                "text": "value " + "é" * step,
                "integer": step,
                "beyond_double": 2**53 + step,
                "near_limit": 2**62 + step,
                "negative": -(2**40) - step,
                "float": random.random(),
                "tiny": 5e-324 * (step + 1),
                "large": 1.5e308,
                "integral": float(step),
                "minus_zero": -0.0,
                "list": list(range(step)),
                "deep": {"a": {"b": {"c": step}}, "a.b": step},
                "dotted.key": step * 10,
                "slash/key": step * 100,
                "changing": [step, "text", True, None, {"k": step}][step % 5],
            }
        )
    record.finish()


@scenario("two")
def sparse_metrics(work):
    record = Recorder(work, "sparse")
    for step in range(200):
        values = {"every": step}
        if step % 10 == 0:
            values["tenth"] = step * 2
        if step % 10 == 5:
            values["other_tenth"] = step * 3
        if step % 50 == 0:
            values["both"] = step * 4
            values["tenth"] = step * 5
        record.log(values)
    record.log({"once": 1.0})
    record.log({"every": 201, "last": True})
    record.finish()


@scenario("two")
def rows_in_parts(work):
    record = Recorder(work, "rows-in-parts")
    for step in range(20):
        record.log({"a": step}, commit=False)
        record.log({"b": step * 2}, commit=False)
        record.log({"c": step * 3}, commit=True)
    for step, key in ((30, "d"), (30, "e"), (31, "d"), (35, "e"), (35, "e"), (35, "f")):
        record.log({key: step}, step=step)
    record.finish()


@scenario("two")
def steps_huge(work):
    record = Recorder(work, "steps-huge")
    for step in (0, 1, 5, 999, 1000, 1001, 10**6, 10**6 + 1, 999_999_999, 10**9):
        record.log({"loss": 1 / (step + 1), "at": step}, step=step)
    record.finish()


@scenario("two")
def rows_many(work):
    record = Recorder(work, "rows-many")
    for step in range(20_000):
        values = {"loss": 1 / (step + 1), "wave": math.sin(step / 100)}
        if step % 7 == 0:
            values["seventh"] = step
        record.log(values)
    record.finish()


@scenario("one")
def media_histograms(work):
    import numpy
    import wandb

    generator = numpy.random.default_rng(3)
    record = Recorder(work, "histograms")
    for step in range(6):
        values = generator.normal(step, 1, 500)
        media = {"weights": wandb.Histogram(values), "bins8": wandb.Histogram(values, num_bins=8)}
        record.log({"loss": 1.0 / (step + 1)}, media=media)
    record.finish()


@scenario("one")
def media_table(work):
    """The table's own artifact may be refused by the server; the run must end all the same."""
    import wandb

    record = Recorder(work, "table")
    table = wandb.Table(columns=["name", "score", "ok"], data=[["ä", 1.5, True], ["b", None, False], ["c", -3.0, True]])
    record.log({"loss": 1.0}, media={"examples": table, "page": wandb.Html("<b>héllo</b>")})
    record.log({"loss": 0.5})
    record.finish()


@scenario("two")
def metrics_defined(work):
    record = Recorder(work, "metrics-defined")
    record.run.define_metric("val/*", step_metric="epoch")
    record.run.define_metric("loss", summary="min,max")
    record.run.define_metric("accuracy", summary="max,mean,last")
    for step in range(30):
        values = {"loss": abs(15 - step) / 10, "accuracy": step / 30}
        if step % 5 == 0:
            values.update({"epoch": step // 5, "val/loss": step / 7})
        record.log(values)
    record.finish()


@scenario("two")
def files_saved(work):
    record = Recorder(work, "files")
    folder = work / "saved"
    content = {
        "notes.txt": "plain text\n".encode(),
        "empty.bin": b"",
        "deep/er/nested.json": b'{"a": 1}',
        "größe ✓ (1) & 100% #a?.txt": "ünïcödé\n".encode(),
        "random.bin": random.Random(11).randbytes(1_500_000),
    }
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        record.run.save(str(path), base_path=str(folder), policy="now")
    record.log({"loss": 1.0})
    record.finish()


@scenario("one")
def system_metrics(work):
    settings = {"x_disable_stats": False, "x_stats_sampling_interval": 0.5, "console": "wrap"}
    record = Recorder(work, "system-metrics", settings=settings)
    for step in range(4):
        print(f"step {step}: a line for the console log, ünïcödé", flush=True)
        record.log({"loss": 1 / (step + 1)})
        time.sleep(0.6)
    record.finish()


# --- life cycles ------------------------------------------------------------------------------------------------------


@scenario("two")
def life_resumed(work):
    first = Recorder(work, "resumed", config={"part": 1, "kept": "yes"}, tags=["first"])
    for step in range(10):
        first.log({"loss": 1 / (step + 1), "part": 1})
    first.finish()
    second = Recorder(work, "resumed", rows=first.rows, resume="must", config={"part": 2})
    for step in range(10):
        second.log({"loss": 1 / (step + 11), "part": 2})
    second.finish()


@scenario("one")
def life_without_history(work):
    record = Recorder(work, "no-history", config={"only": "config"}, name="nothing was logged")
    record.finish()


@scenario("one")
def life_summary_only(work):
    record = Recorder(work, "summary-only")
    record.run.summary["accuracy"] = 0.75
    record.run.summary["nested"] = {"deep": {"x": 1, "y": None}, "text": "t"}
    record.run.summary["dotted.key"] = "dotted"
    record.finish()


@scenario("one")
def life_exit_code(work):
    record = Recorder(work, "exit-code-3")
    record.log({"loss": 1.0})
    record.finish(exit_code=3)


@scenario("one")
def life_second_project(work):
    for number in range(3):
        record = Recorder(work, f"second-{number}", project=SECOND_PROJECT, config={"number": number})
        record.log({"loss": number + 0.5})
        record.finish()


@scenario("one")
def life_edited(work):
    """Changed afterwards through the official public API, which writes config and summary in another form."""
    import wandb

    record = Recorder(work, "edited", config={"lr": 0.1, "kept": [1, 2]}, tags=["before"])
    record.log({"loss": 0.5, "kept": 1})
    record.finish()
    api = wandb.Api()
    run = api.run(f"{PROJECT}/edited")
    run.config["lr"] = 0.2
    run.config["added"] = {"by": "api"}
    run.tags.append("after")
    run.notes = "edited later"
    run.name = "edited name"
    run.update()
    run.summary["best"] = 0.125
    run.summary.update()


@scenario("alone")
def life_exception(work):
    record = Recorder(work, "exception")
    record.log({"loss": 1.0})
    record.log({"loss": 2.0})
    record.save()
    raise RuntimeError("on purpose: the run must be called failed")


@scenario("alone")
def life_killed(work):
    """Ends with its whole process group while it is running; the rows that were sent must be there."""
    record = Recorder(work, "killed", settings={"x_file_stream_transmit_interval": 0.5}, config={"end": "kill -9"})
    for step in range(25):
        record.log({"loss": 1 / (step + 1)})
    record.save()
    import wandb

    deadline = time.monotonic() + 60
    while wandb.Api().run(f"{PROJECT}/killed").lastHistoryStep < 24:
        if time.monotonic() > deadline:
            raise TimeoutError("the rows of the killed run did not arrive")
        time.sleep(0.5)
    os.killpg(os.getpgrp(), signal.SIGKILL)


EXPECTED_EXIT = {"life-exception": 1, "life-killed": -signal.SIGKILL}


# --- running ----------------------------------------------------------------------------------------------------------


def run_lane(work, names):
    for name in names:
        started = time.monotonic()
        SCENARIOS[name][1](work)
        print(f"  logged {name:<28} {time.monotonic() - started:5.1f} s", flush=True)


def start(work, names):
    command = [sys.executable, __file__, "--work", str(work), "--lane", *names]
    # A group of its own, so that the run that is killed takes the SDK's helper process along and nothing else.
    output = subprocess.DEVNULL if names[0] in EXPECTED_EXIT else None
    return subprocess.Popen(command, start_new_session=True, stderr=output)


def wait_until_crashed(run_id):
    import wandb

    deadline = time.monotonic() + CRASH_DEADLINE
    while (state := wandb.Api().run(f"{PROJECT}/{run_id}").state) != "crashed":
        if time.monotonic() > deadline:
            sys.exit(f"the run {run_id} is {state!r} and should be called crashed by now")
        time.sleep(2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--lane", nargs="+")
    arguments = parser.parse_args()
    work = arguments.work
    (work / "truth").mkdir(parents=True, exist_ok=True)
    if arguments.lane:
        run_lane(work, arguments.lane)
        return

    chosen = {name: lane for name, (lane, _) in SCENARIOS.items() if name.startswith(arguments.only)}
    if not chosen:
        sys.exit(f"no scenario starts with {arguments.only!r}; there are: {', '.join(SCENARIOS)}")
    # The run that must be found dead goes first: the server takes its time to notice.
    lanes = [[name] for name, lane in chosen.items() if lane == "alone"][::-1]
    lanes += [names for lane in ("one", "two") if (names := [name for name, other in chosen.items() if other == lane])]
    processes = [(names, start(work, names)) for names in lanes]
    failed = []
    deadline = time.monotonic() + LANE_DEADLINE
    try:
        for names, process in processes:
            if process.wait(timeout=max(deadline - time.monotonic(), 0.1)) != EXPECTED_EXIT.get(names[0], 0):
                failed.append(f"{' '.join(names)}: exit code {process.returncode}")
    except subprocess.TimeoutExpired:
        failed.append(f"{' '.join(names)}: not finished after {LANE_DEADLINE} s; see the debug logs of wandb in {work}")
    finally:
        for _, process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if failed:
        sys.exit("scenarios ended unexpectedly:\n" + "\n".join(failed))
    # Both must be settled before anyone reads, or the answers would depend on the time of reading.
    for name, run_id in (("life-created-and-deleted", "created"), ("life-killed", "killed")):
        if name in chosen:
            wait_until_crashed(run_id)


if __name__ == "__main__":
    main()
