"""Writes reports of both forms with the official side, over runs whose place in them is known beforehand.

Reports of blocks are made by the official reports library, `wandb_workspaces`. It cannot make the panel groups of 2020
any more, which are what `BetaReport` reads, so these go through the same library's own `upsertView`. What must be read
is written to WORK/reports.json. Usage: log_reports.py --work DIR
"""

import argparse
import json
import os
import pathlib

PROJECT = "conformance.reports"

# name -> (config, loss, tags, exit code), logged in this order
RUNS = {
    "ada": ({"lr": 0.1, "model": "sgd"}, 0.5, [], 0),
    "bob": ({"lr": 0.2, "model": "sgd"}, 0.4, [], 0),
    "cyd": ({"lr": 0.3, "model": "mlp", "optimizer": {"name": "adam"}}, 0.3, ["keep"], 0),
    "dee": ({"lr": 0.4, "model": "mlp", "optimizer": {"name": "sgd"}}, 0.2, ["keep"], 0),
    "eve": ({"lr": 0.5, "model": "mlp"}, 0.1, [], 1),
}


def log_runs(work):
    import wandb

    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    for name, (config, loss, tags, exit_code) in RUNS.items():
        run = wandb.init(id=name, name=f"run {name}", project=PROJECT, dir=str(work), settings=settings, config=config, tags=tags)
        run.log({"loss": loss, "scores/val": 1 - loss})
        run.finish(exit_code=exit_code)


def leaf(section, name, operator, value, disabled=False):
    return {"key": {"section": section, "name": name}, "op": operator, "value": value, "disabled": disabled}


def run_set(name, conditions, sort, tree):
    """A run set of 2020: conditions in the one shape that its app wrote, one sort key, the runs that are switched on."""
    section, key, ascending = sort
    return {
        "id": name,
        "name": name,
        "enabled": True,
        "search": {"query": ""},
        "sort": {"key": {"section": section, "name": key}, "ascending": ascending},
        "filters": {"op": "OR", "filters": [{"op": "AND", "filters": conditions}]},
        "grouping": [],
        "selections": {"root": 0, "bounds": [], "tree": tree},
    }


def panel_groups(*groups):
    return {"version": 2, "panelGroups": [{"name": name, "openRunSet": opened, "runSets": run_sets, "panels": {"views": {}, "tabs": []}} for name, opened, run_sets in groups]}


MLP = run_set("multi-layer", [leaf("config", "model", "=", "mlp"), leaf("run", "state", "=", "finished")], ("summary", "loss", True), ["cyd"])
MIDDLE = run_set("middle rates", [leaf("config", "lr", ">=", 0.2), leaf("config", "lr", "<=", 0.4)], ("config", "lr", False), ["bob", "dee", "ada"])
NESTED = run_set("adam", [leaf("config", "optimizer.name", "=", "adam")], ("run", "createdAt", True), ["cyd"])
GROUPS = panel_groups(("Which model", 0, [MLP]), ("Which rate — größer?", 0, [MIDDLE]), ("The second one is open", 1, [MLP, NESTED]))
# Per group: the run sets by name, the runs of the open one, and those that are switched on.
GROUPS_TRUTH = [
    {"run_sets": ["multi-layer"], "all": ["dee", "cyd"], "selected": ["cyd"]},
    {"run_sets": ["middle rates"], "all": ["dee", "cyd", "bob"], "selected": ["dee", "bob"]},
    {"run_sets": ["multi-layer", "adam"], "all": ["cyd"], "selected": ["cyd"]},
]


class Writer:
    def __init__(self):
        from wandb_workspaces.reports import v2

        self.reports = v2
        self.entity = os.environ["WANDB_ENTITY"]
        self.truth = {}

    def run_set(self, name, filters="", order=None, off=()):
        keys = [self.reports.OrderBy(name=key, ascending=ascending) for key, ascending in order or []]
        options = {"order": keys} if keys else {}
        settings = {run: self.reports.RunSettings(disabled=True) for run in off}
        return self.reports.Runset(entity=self.entity, project=PROJECT, name=name, filters=filters, run_settings=settings, **options)

    def grid(self, *run_sets):
        return self.reports.PanelGrid(runsets=list(run_sets), panels=[self.reports.LinePlot(x="Step", y=["loss"])])

    def save(self, label, title, description, blocks, sections, draft=False):
        report = self.reports.Report(project=PROJECT, entity=self.entity, title=title, description=description, blocks=blocks)
        report.save(draft=draft)
        self.truth[label] = {"id": report.id, "form": "blocks", "title": title, "description": description, "draft": draft, "sections": sections}
        return report

    def blocks(self):
        library = self.reports
        loss, rate = library.SummaryMetric("loss"), library.Config("lr")
        blocks = [
            library.H1("What we saw"),
            library.P("Some text."),
            self.grid(self.run_set("finished networks", "Config('model') == 'mlp' and Metric('State') == 'finished'", [(loss, False)])),
            library.H2("Folded away", collapsed_blocks=[self.grid(self.run_set("all but one", "", [(rate, True)], off=["ada"]))]),
            self.grid(
                self.run_set("low or kept", "Config('lr') <= 0.1 or Tags in ['keep']", [(rate, False)]),
                self.run_set("not shown first", "Config('lr') >= 0.5", [(rate, True)]),
            ),
        ]
        sections = [
            {"run_sets": ["finished networks"], "all": ["cyd", "dee"], "selected": ["cyd", "dee"]},
            {"run_sets": ["all but one"], "all": ["ada", "bob", "cyd", "dee", "eve"], "selected": ["bob", "cyd", "dee", "eve"]},
            {"run_sets": ["low or kept", "not shown first"], "all": ["dee", "cyd", "ada"], "selected": ["dee", "cyd", "ada"]},
        ]
        self.save("blocks", "Wörk ✓ of blocks: \"quoted\" & <b>", "of blocks", blocks, sections)

    def others(self):
        library = self.reports
        self.save("text", "Only text", "", [library.P("Nothing to see.")], [])
        self.save("draft", "Not published", "a draft", [library.P("Soon.")], [], draft=True)
        edited = self.save("edited", "First title", "first", [library.P("one")], [])
        edited.title, edited.description = "Second title", "second"
        edited.blocks = [self.grid(self.run_set("added", "Config('lr') >= 0.4", [(library.Config("lr"), True)]))]
        edited.save()
        self.truth["edited"].update(title="Second title", description="second", sections=[{"run_sets": ["added"], "all": ["dee", "eve"], "selected": ["dee", "eve"]}])
        gone = self.save("gone", "Deleted again", "", [library.P("x")], [])
        if not gone.delete():
            raise AssertionError("the official library could not delete its report")
        self.truth["gone"]["deleted"] = True

    def old(self):
        from wandb_workspaces._graphql import execute_graphql
        from wandb_workspaces.reports.v2 import gql
        from wandb_workspaces.reports.v2.interface import _get_api

        values = {"id": None, "name": "oldgroups", "entityName": self.entity, "projectName": PROJECT, "displayName": "Panel groups of 2020",
                  "description": "of panel groups", "type": "runs", "spec": json.dumps(GROUPS)}
        view = execute_graphql(_get_api(), gql.upsert_view, values)["upsertView"]["view"]
        self.truth["groups"] = {"id": view["id"], "name": "oldgroups", "form": "panelGroups", "title": values["displayName"],
                                "description": values["description"], "draft": False, "sections": GROUPS_TRUTH}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    work = parser.parse_args().work
    os.environ["WANDB_SILENT"] = "true"
    log_runs(work)
    writer = Writer()
    for step in (writer.old, writer.blocks, writer.others):
        step()
    (work / "reports.json").write_text(json.dumps(writer.truth, ensure_ascii=False))
    print(f"  the official side wrote {len(writer.truth)} reports over {len(RUNS)} runs")


if __name__ == "__main__":
    main()
