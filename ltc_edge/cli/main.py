"""The ``ltc-edge`` command: its subcommands, and what an error becomes.

Exit codes: 0 done, 1 a check failed, 2 bad usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import importlib
import io
import os
import sys

import click

from ltc_edge.cli.output import one_line
from ltc_edge.errors import LtcEdgeError
from ltc_edge.version import __version__

INTERRUPTED = 130

# Name → (module, help). Modules are imported when their command runs: `--help` must not wait for torch.
COMMANDS: dict[str, tuple[str, str]] = {
    "tasks": ("ltc_edge.cli.tasks", "List what can be trained."),
    "targets": ("ltc_edge.cli.targets", "List what can be profiled on, and emulated."),
    "train": ("ltc_edge.cli.train", "Train a controller on a task or on recordings."),
    "evaluate": ("ltc_edge.cli.evaluate", "Measure how well a trained controller does its task."),
    "robustness": ("ltc_edge.cli.robustness", "Bound by how much readings move an action, and margins."),
    "export": (
        "ltc_edge.cli.export",
        "Write a controller for ONNX Runtime and LiteRT, and prove that it works.",
    ),
    "verify": ("ltc_edge.cli.verify", "Check an exported bundle on this machine."),
    "inspect": ("ltc_edge.cli.inspect", "Look into a controller: wiring, neurons, drives, cuts."),
    "memory": ("ltc_edge.cli.memory", "Measure how far back a controller remembers, and its data ask."),
    "size": ("ltc_edge.cli.size", "Say how large a network the data ask for."),
    "descent": ("ltc_edge.cli.descent", "Sweep a model's width, and look for double descent."),
    "sweep": ("ltc_edge.cli.sweep", "Search for the smallest controller that does the job."),
    "zoo": ("ltc_edge.cli.zoo", "Take a trained, verified controller to start from."),
    "report": ("ltc_edge.cli.report", "Write a page about a bundle and what was measured of it."),
    "profile": ("ltc_edge.cli.profile", "Measure what a step costs on a device, and check budgets."),
    "node": ("ltc_edge.cli.node", "Run a controller as a node of ROS 2, over zenoh or DDS."),
    "run": ("ltc_edge.cli.run", "Run a controller on this machine in real time, behind its supervisor."),
    "replay": ("ltc_edge.cli.replay", "Step through a log again, and compare every bit."),
    "deploy": ("ltc_edge.cli.deploy", "Bring a bundle onto a board, a Linux machine or a robot."),
    "import-ncps": ("ltc_edge.cli.import_ncps", "Turn a trained ncps model into a controller."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the workflow."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="ltc-edge")
def cli() -> None:
    """Train liquid time-constant controllers, export them to quantised runtimes, and verify them.

    Every command takes --json to print one JSON object on standard output.
    Exit codes: 0 done, 1 a check failed, 2 bad usage or bad input, 130 interrupted.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; an error of ours becomes one line and its exit code."""
    if sys.stderr is None:  # closed by the caller
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a question mark.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        cli.main(arguments, prog_name="ltc-edge", standalone_mode=False)
    except click.exceptions.Exit as finished:
        sys.exit(finished.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"Error: {_usage_line(error)}", err=True)
        sys.exit(error.exit_code)
    except LtcEdgeError as error:
        click.echo(f"Error: {one_line(str(error))}", err=True)
        sys.exit(error.exit_code)
    except MemoryError:
        click.echo(
            "Error: not enough memory; ask for fewer --units, --episodes or rows, or a smaller --batch",
            err=True,
        )
        sys.exit(LtcEdgeError.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone: that is not an error of ours, but Python would say so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {where}{error.strerror or error}", err=True)
        sys.exit(LtcEdgeError.exit_code)


def _usage_line(error: click.ClickException) -> str:
    """What click has to say in the one line that every error takes, and where to read on."""
    said = " ".join(error.format_message().split())
    if "unexpected extra argument" in said:
        said = f"{said.rstrip('.')}; quote patterns, as in --data 'logs/*.csv'"
    context = error.ctx if isinstance(error, click.UsageError) else None
    return said if context is None else f"{said.rstrip('.')}; see `{context.command_path} --help`"
