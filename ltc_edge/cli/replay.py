"""``ltc-edge replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, json_option
from ltc_edge.cli.output import print_json, progress_bar

if TYPE_CHECKING:
    from ltc_edge.bundle.bundle import Bundle
    from ltc_edge.deploy.replay.replay import Replay
    from ltc_edge.deploy.step_log.reading import StepLog


@click.command("replay")
@click.argument("paths", metavar="LOG...", type=FILE, nargs=-1, required=True)
@click.option("--bundle", "folder", type=FILE, required=True, help="The bundle whose controller ran.")
@click.option("--format", "form", metavar="FORMAT", help="Of C; by default the one that the log names.")
@click.option(
    "--any-bundle", is_flag=True, help="Go on where the log is of another bundle, or does not say of which."
)
@click.option("--trust-c", is_flag=True, help="Compile and run BUNDLE's own C, whatever it does.")
@json_option
def command(
    paths: tuple[Path, ...],
    folder: Path,
    form: str | None,
    any_bundle: bool,
    trust_c: bool,
    as_json: bool,
) -> None:
    """Step a controller through a log again, and compare every output bit by bit.

    LOG is a file of `ltc-edge run --log`. The controller is written anew from the bundle, compiled for this
    machine, and put behind the supervisor with the settings that are in the log. Exit code 1 says that a
    step came out otherwise than it was logged.
    """
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.cli.replay_report import print_replay, replay_document
    from ltc_edge.deploy.step_log.reading import StepLog
    from ltc_edge.errors import CheckFailedError

    logs = {path: StepLog(path) for path in paths}
    bundle = load_bundle(folder)
    documents: list[dict[str, Any]] = []
    differing: list[str] = []
    for path, log in logs.items():
        if not any_bundle:
            _check_bundle(path, log, bundle)
        found, used = _replay(log, bundle, form, trust_c=trust_c)
        if found.first is not None:
            differing.append(
                f"{path}: {found.differing} steps differ, the first is step {found.first.sequence}"
            )
        documents.append(replay_document(path, log, found) | {"format": used})
        if not as_json:
            print_replay(path, log, found)
    if as_json:
        print_json({"bundle": str(folder), "ok": not differing, "logs": documents})
    if differing:
        raise CheckFailedError(differing[0])


def _check_bundle(path: Path, log: StepLog, bundle: Bundle) -> None:
    from ltc_edge.errors import RecordingError

    ran, given = log.facts.bundle, bundle.manifest_sha256()
    if ran == given:
        return
    which = f"is of another bundle (manifest {ran[:12]}, not {given[:12]})" if ran else "names no bundle"
    raise RecordingError(f"{path}: {which}; give the one that ran, or go on with --any-bundle")


def _replay(log: StepLog, bundle: Bundle, form: str | None, *, trust_c: bool) -> tuple[Replay, str]:
    """What was found, and the format that ran."""
    from ltc_edge.deploy.replay.library import ReplayLibrary
    from ltc_edge.deploy.replay.replay import replay
    from ltc_edge.deploy.replay.settings import logged_settings
    from ltc_edge.deploy.sources import choose_c_format, trusted_sources

    used = choose_c_format(bundle, form or log.facts.form or None)
    sources = trusted_sources(bundle, used, trust_c=trust_c).c_sources()
    library = ReplayLibrary(sources, logged_settings(log))
    with progress_bar(f"replaying {log.path.name}") as on_share:
        return replay(log, library, on_share), used
