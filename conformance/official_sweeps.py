"""Answers the questions about sweeps with the official client; a part of read_official.py."""

import wandb

from log_runs import plain

SWEEP_FIELDS = {
    "id": lambda sweep: sweep.id,
    "name": lambda sweep: sweep.name,
    "storage_id": lambda sweep: sweep._attrs["id"],
    "entity": lambda sweep: sweep.entity,
    "project": lambda sweep: sweep.project,
    "state": lambda sweep: sweep.state,
    "config": lambda sweep: sweep.config,
    "order": lambda sweep: sweep.order,
    "expected_run_count": lambda sweep: sweep.expected_run_count,
    "best_loss": lambda sweep: sweep.best_loss,
    "url": lambda sweep: sweep.url,
}


class OfficialSweeps:
    """Mixed into the reader: one method per kind of question."""

    def sweep_object(self, question):
        return wandb.Api().sweep(f"{self.entity}/{question['project']}/{question['sweep']}")

    def shaped_sweep(self, sweep):
        return {name: plain(get(sweep)) for name, get in SWEEP_FIELDS.items()}

    def sweeps(self, question):
        project = wandb.Api().project(question["project"], self.entity)
        return sorted((self.shaped_sweep(sweep) for sweep in project.sweeps()), key=lambda sweep: sweep["id"])

    def sweep(self, question):
        return self.shaped_sweep(self.sweep_object(question))

    def sweep_runs(self, question):
        return [run.id for run in self.sweep_object(question).runs]

    def best_run(self, question):
        run = self.sweep_object(question).best_run(question.get("order"))
        return run and run.id

    def missing_sweep(self, question):
        try:
            self.sweep_object(question)
        except (ValueError, wandb.CommError) as error:
            return "not found" if "find sweep" in str(error) else str(error)
        return "found"
