"""Runs sweeps with the official agent.

Usage: log_sweeps.py --work DIR
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import time

PROJECT = "conformance.sweeps"

SWEEPS = {
    "grid": {
        "method": "grid",
        "name": "grid over two",
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"lr": {"values": [0.1, 0.01, 0.001]}, "layers": {"values": [1, 2]}, "fixed": {"value": "same"}},
    },
    "random": {
        "method": "random",
        "metric": {"name": "accuracy", "goal": "maximize"},
        "run_cap": 4,
        "parameters": {
            "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1},
            "layers": {"distribution": "int_uniform", "min": 1, "max": 5},
            "optimizer": {"parameters": {"name": {"values": ["adam", "sgd"]}, "momentum": {"min": 0.0, "max": 0.9}}},
        },
    },
    "bayes": {
        "method": "bayes",
        "metric": {"name": "loss", "goal": "minimize"},
        "run_cap": 5,
        "parameters": {"lr": {"min": 0.0, "max": 1.0}},
    },
    "no-metric": {"method": "grid", "parameters": {"seed": {"values": [1, 2, 3]}}},
    # Values that other readers of YAML take for something else than PyYAML, which writes them without quotes.
    "texts": {
        "method": "grid",
        "parameters": {"text": {"values": ["y", "N", "on", "1e3", "0o17", "12:30", "~x", True, None, 2**60]}},
    },
}

# What the runs of this process got.
SEEN = []


def train():
    import wandb

    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    with wandb.init(settings=settings) as run:
        config = dict(run.config)
        SEEN.append(config.get("text"))
        lr = config.get("lr", config.get("seed", 0))
        for step in range(3):
            run.log({"loss": abs(lr - 0.3) + 1 / (step + 1), "accuracy": 1 - lr / (step + 2)})


def sweep(name):
    """Makes one sweep and runs its agent to the end."""
    import wandb

    started = time.monotonic()
    sweep_id = wandb.sweep(SWEEPS[name], project=PROJECT)
    wandb.agent(sweep_id, function=train, project=PROJECT, count=10)
    if name == "texts":
        wanted = SWEEPS[name]["parameters"]["text"]["values"]
        if sorted(map(repr, SEEN)) != sorted(map(repr, wanted)):
            raise ValueError(f"the server turned {wanted} into {SEEN}")
    print(f"  swept {name:<29} {time.monotonic() - started:5.1f} s", flush=True)
    return name, sweep_id


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    work = parser.parse_args().work
    os.environ["WANDB_DIR"] = str(work)
    os.environ["WANDB_SILENT"] = "true"
    # An agent asks every five seconds, so they wait most of the time: one process each.
    with multiprocessing.get_context("spawn").Pool(len(SWEEPS)) as pool:
        sweeps = dict(pool.map(sweep, SWEEPS, chunksize=1))
    (work / "sweeps.json").write_text(json.dumps({name: sweeps[name] for name in SWEEPS}))


if __name__ == "__main__":
    main()
