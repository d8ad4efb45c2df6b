"""``ltc-edge tasks``."""

from __future__ import annotations

import click

from ltc_edge.cli.options import json_option
from ltc_edge.cli.output import console, print_json


@click.command("tasks")
@json_option
def command(as_json: bool) -> None:
    """List what can be trained."""
    from ltc_edge.logs import LOG_TASKS, SEQUENCE_TASKS
    from ltc_edge.tasks import task_summaries

    if as_json:
        print_json(
            {
                "tasks": [
                    {"name": t.name, "summary": t.summary, "period_s": t.period_s} for t in task_summaries()
                ],
                "log_tasks": [
                    {
                        "name": t.name,
                        "summary": t.summary,
                        "metric": t.metric,
                        "source": t.source,
                        "license": t.license,
                    }
                    for t in LOG_TASKS.values()
                ],
                "sequence_tasks": [
                    {"name": t.name, "summary": t.summary, "metric": t.metric, "source": t.source}
                    for t in SEQUENCE_TASKS.values()
                ],
            }
        )
        return
    from rich.table import Table

    control = Table("task", "period", "what the controller does", title="Control tasks", title_justify="left")
    for task in task_summaries():
        control.add_row(task.name, f"{task.period_s * 1e3:.3g} ms", task.summary)
    logs = Table("task", "metric", "what is learned", title="Recordings (--data-dir)", title_justify="left")
    for log in LOG_TASKS.values():
        logs.add_row(log.name, log.metric, log.summary)
    drawn = Table(
        "task", "metric", "what is learned", title="Long dependencies (drawn, no data)", title_justify="left"
    )
    for sequences in SEQUENCE_TASKS.values():
        drawn.add_row(sequences.name, sequences.metric, sequences.summary)
    out = console()
    out.print(control)
    out.print(logs)
    out.print(drawn)
    for log in LOG_TASKS.values():
        out.print(f"{log.name}: {log.source}")  # outside the table, which would cut an address
    out.print()
    out.print(
        "Also: --env ID --expert module:function for any Gymnasium environment, module:object for a task of\n"
        "yours, and --data 'PATTERN' --inputs … --targets … for your own recordings."
    )
