"""Deployments that are killed in the middle, over a real sshd on loopback. Prints JSON.

    python tools/deploy_kill_campaign.py BUNDLE --rounds 200

A version runs and is steered over UDP. Each round deploys another one and ends it by SIGKILL: the command
on this side, its ssh, or the agent on the device; at a step that takes turns, after a random part of the time
that this step takes. Meanwhile, every 10 ms, the version that ``current`` points to and those that run are
compared with their hashes. After each round the next deployment must succeed, leave nothing behind, and be
answered by the loop. Needs an ssh server (Debian: openssh-server) and a C compiler.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import getpass
import itertools
import json
import os
import random
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy_campaign.killing import KINDS, Blow, struck, timed
from deploy_campaign.plant import Plant
from deploy_campaign.whole import Watcher, current_faults, running
from profile_bench.over_ssh import loopback_server

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.linux.address import Address, find_address
from ltc_edge.deploy.linux.deployment import Ready, deploy, prepare
from ltc_edge.deploy.linux.device.layout import Layout
from ltc_edge.deploy.linux.device.run_service import RunService
from ltc_edge.deploy.linux.settings import Checks, DeviceSettings, LoopSettings, Order
from ltc_edge.errors import LtcEdgeError

NAME, KEEP, ANSWERED_S = "campaign", 2, 3.0


def main() -> int:
    """Run it; 1 where anything was not whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--kind", action="append", choices=KINDS, help="what is killed; without it, each in turn"
    )
    parser.add_argument("--step", action="append", help="at which step; without it, each in turn")
    parser.add_argument("--no-profile", action="store_true", help="leave the step out that takes longest")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, loopback_server(Path(scratch)) as (path, port):
        os.environ["PATH"] = path
        found = campaign(
            arguments.bundle,
            Path(scratch),
            port,
            rounds=arguments.rounds,
            seed=arguments.seed,
            kinds=arguments.kind or KINDS,
            steps=arguments.step,
            profile=not arguments.no_profile,
        )
    print(json.dumps(found))
    return int(found["rounds"] != arguments.rounds or bool(found["broken"]) or bool(found["failed_after"]))


def campaign(
    bundle: Path,
    scratch: Path,
    port: int,
    *,
    rounds: int,
    seed: int,
    kinds: Sequence[str] = KINDS,
    steps: Sequence[str] | None = None,
    profile: bool = True,
) -> dict[str, Any]:
    """What ``rounds`` blows did."""
    python = scratch / "device-python"
    python.symlink_to(sys.executable)
    root = scratch / "root"
    address = find_address(f"ssh://{getpass.getuser()}@bench:{port}/{NAME}")
    versions = _versions(bundle, DeviceSettings(str(python), str(root), "run", keep=KEEP), profile)
    layout = Layout(str(root), NAME)
    counts = {name: collections.Counter[str]() for name in ("blows", "deployment_ended", "after_the_blow")}
    failed: list[str] = []
    controller = versions[0].bundle.controller
    port_of_loop = int(versions[0].order.loop.io.rpartition(":")[2])
    with _ended(layout), Plant(port_of_loop, len(controller.observations)) as plant:
        deploy(versions[0], address, lambda _: None)
        seconds = timed(versions[1], address)
        steps = steps or list(seconds)
        with Watcher(layout) as watcher:
            draw, runs = random.Random(seed), 1
            blows = itertools.islice(_blows(seconds, steps, kinds, draw), rounds)
            for index, blow in enumerate(blows):
                counts["blows"][f"{blow.kind} at {blow.step}"] += 1
                counts["deployment_ended"][struck(versions[1 - runs], address, blow, python)] += 1
                counts["after_the_blow"][_state(layout)] += 1
                runs = draw.randrange(2)  # the same one again, or the one that ran before
                wrong = _after(versions[runs], address, layout, plant)
                failed += [f"round {index}, {blow}: {why}" for why in wrong]
    return {
        "rounds": rounds,
        "seed": seed,
        "step_s": seconds,
        **counts,
        "looked": watcher.samples,
        "broken": watcher.broken,
        "failed_after": failed,
    }


def _blows(
    seconds: Mapping[str, float], steps: Sequence[str], kinds: Sequence[str], draw: random.Random
) -> Iterator[Blow]:
    """Each kind at each step in turn, after a random part of the time that the step takes."""
    while True:
        for kind in kinds:
            for step in steps:
                yield Blow(kind, step, draw.uniform(0.0, seconds[step]))


@contextlib.contextmanager
def _ended(layout: Layout) -> Iterator[None]:
    """What runs does not outlast the campaign."""
    try:
        yield
    finally:
        RunService(layout).stop()


def _versions(path: Path, device: DeviceSettings, profile: bool) -> tuple[Ready, Ready]:
    """Two that differ in what they do at the start."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        io = f"udp://127.0.0.1:{free.getsockname()[1]}"
    bundle, checks = load_bundle(path), Checks(profile=profile, watch_s=0.1)
    loops = LoopSettings(io), LoopSettings(io, start="arm")
    one, other = (prepare(bundle, Order(loop, checks=checks, device=device)) for loop in loops)
    return one, other


def _state(layout: Layout) -> str:
    """What runs just after a blow, before anybody puts it in order."""
    versions = set(running(layout).values())
    current = layout.linked(layout.current)
    if not versions:
        return "nothing runs"
    return (
        "the current version runs" if versions == {current} else "another version than the current one runs"
    )


def _after(ready: Ready, address: Address, layout: Layout, plant: Plant) -> list[str]:
    """What is wrong once the next deployment is done."""
    unprofiled = replace(ready, order=replace(ready.order, checks=replace(ready.order.checks, profile=False)))
    try:
        report = deploy(unprofiled, address, lambda _: None)
    except LtcEdgeError as error:
        return [f"the next deployment failed: {error}"]
    wrong = []
    current = layout.linked(layout.current)
    if current != report["version"] or current_faults(layout, str(current)):
        wrong.append(f"current is {current}, not a whole {report['version']}")
    if list(running(layout).values()) != [current]:
        wrong.append(f"{running(layout)} run")
    left = [entry.name for entry in layout.incoming.iterdir()] + [
        str(p.name) for p in layout.folder.glob(".*")
    ]
    if left or layout.pending.exists() or len(layout.versions()) > KEEP:
        wrong.append(f"it left {left}, {len(layout.versions())} versions")
    if not plant.is_answered(ANSWERED_S):
        wrong.append("no action comes")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
