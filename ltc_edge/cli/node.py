"""``ltc-edge node``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, Finite, json_option, stack
from ltc_edge.cli.output import console, print_json

if TYPE_CHECKING:
    from ltc_edge.deploy.ros.mapping import Mapping
    from ltc_edge.deploy.ros.opened import Subject
    from ltc_edge.supervision.codes import Request

TOPIC_OPTIONS = stack(
    [
        click.option("--observation-topic", default="/joint_states", show_default=True, metavar="TOPIC"),
        click.option("--observation-type", default="JointState", show_default=True, metavar="TYPE"),
        click.option("--action-topic", metavar="TOPIC", help="Where not given, /NODE/commands."),
        click.option("--action-type", default="Float64MultiArray", show_default=True, metavar="TYPE"),
        click.option(
            "--map",
            "map_file",
            type=FILE,
            metavar="FILE",
            help="TOML that says which field of which topic is which signal; instead of the four above.",
        ),
    ]
)

NETWORK_OPTIONS = stack(
    [
        click.option("--middleware", type=click.Choice(["zenoh", "dds"]), default="zenoh", show_default=True),
        click.option(
            "--domain", type=click.IntRange(0, 232), help="Where not given, ROS_DOMAIN_ID, or 0 without it."
        ),
        click.option("--node-name", metavar="NAME", help="Made of the bundle's where not given."),
        click.option(
            "--connect",
            multiple=True,
            metavar="ENDPOINT",
            help="zenoh: a router or peer to connect to, such as tcp/127.0.0.1:7447; repeatable.",
        ),
        click.option(
            "--listen",
            multiple=True,
            metavar="ENDPOINT",
            help="zenoh: where to listen instead of on loopback; repeatable.",
        ),
        click.option("--interface", help="DDS: the network interface, instead of lo."),
    ]
)

CONTROL_OPTIONS = stack(
    [
        click.option(
            "--format",
            "form",
            type=click.Choice(["c-float32", "c-int16"]),
            help="Where not given, c-float32, or the only one in C that the bundle has.",
        ),
        click.option("--supervisor", type=FILE, metavar="FILE", help="Settings of the supervisor, TOML."),
        click.option("--trust-c", is_flag=True, help="Compile the bundle's own C, whatever it does."),
        click.option("--arm", is_flag=True, help="Act from the start; else when told on /NODE/request."),
        click.option("--shadow", is_flag=True, help="Compute and tell, and do not act."),
        click.option(
            "--rate",
            type=Finite(0.01, 100_000),
            metavar="HZ",
            help="Step by a timer, not with each message of the first topic.",
        ),
        click.option(
            "--stamps",
            is_flag=True,
            help="Readings are as old as their headers say: for machines whose clocks agree.",
        ),
    ]
)

RECORD_OPTIONS = stack(
    [
        click.option(
            "--log", type=FILE, metavar="FILE", help="Keep every step, for `ltc-edge replay` (MCAP)."
        ),
        click.option("--record", type=FILE, metavar="FOLDER", help="Keep all messages in a new bag (MCAP)."),
        click.option(
            "--play",
            "played",
            type=FILE,
            metavar="BAG",
            help="Feed the messages of a bag instead of a network's, as fast as it goes.",
        ),
        click.option("--duration", type=Finite(0.01, 1e9), metavar="S", help="End by itself after so long."),
    ]
)


@click.command("node")
@click.argument("bundle", type=FILE)
@TOPIC_OPTIONS
@NETWORK_OPTIONS
@CONTROL_OPTIONS
@RECORD_OPTIONS
@json_option
@click.pass_context
def command(context: click.Context, /, bundle: Path, as_json: bool, **said: Any) -> None:
    """Run the controller of BUNDLE as a node of ROS 2, over zenoh or DDS, without ROS installed.

    \b
    ltc-edge node BUNDLE --connect tcp/127.0.0.1:7447 --arm      beside nodes with rmw_zenoh
    ltc-edge node BUNDLE --middleware dds --shadow               beside nodes with a DDS
    ltc-edge node BUNDLE --play BAG --record ACTIONS             a dry run on a robot's bag

    A step is made with each message, in C behind its supervisor. Nothing is published on the action's topic
    before the node was armed. Ctrl-C (exit code 130), SIGTERM and --duration bring the actions to rest first.
    docs/ros2.md has the topics and types, and the file for --map.
    """
    from ltc_edge.deploy.ros.graph_names import check_node_name, node_name
    from ltc_edge.deploy.ros.opened import open_subject
    from ltc_edge.supervision.codes import Request

    if said["arm"] and said["shadow"]:
        raise click.UsageError("--arm and --shadow exclude each other")
    request = Request.ARM if said["arm"] else Request.SHADOW if said["shadow"] else Request.NONE
    subject = open_subject(bundle, said["form"], said["supervisor"])
    said["node_name"] = check_node_name(said["node_name"] or node_name(subject.controller.name))
    mapping = _mapping(context, subject, said)
    head = {"bundle": str(bundle), "node": said["node_name"], "format": subject.form}
    run = _run if said["played"] is None else _play
    document = head | run(subject, mapping, said, request, quiet=as_json)
    if as_json:
        print_json(document)


def _mapping(context: click.Context, subject: Subject, said: dict[str, Any]) -> Mapping:
    """Where signals are: from the file, or from the names."""
    from ltc_edge.deploy.ros.interfaces import find_type
    from ltc_edge.deploy.ros.mapping import default_mapping
    from ltc_edge.deploy.ros.mapping_file import read_mapping

    observations = [signal.name for signal in subject.controller.observations]
    actions = [signal.name for signal in subject.controller.actions]
    if said["map_file"] is not None:
        named = ("observation_topic", "observation_type", "action_topic", "action_type")
        clashing = [name for name in named if _was_said(context, name)]
        if clashing:
            raise click.UsageError(f"--map says that already: leave out --{clashing[0].replace('_', '-')}")
        return read_mapping(said["map_file"], observations, actions)
    observed = said["observation_topic"], find_type(said["observation_type"])
    acted = said["action_topic"] or f"/{said['node_name']}/commands", find_type(said["action_type"])
    return default_mapping(observations, actions, observed, acted)


def _was_said(context: click.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT", "PROMPT")


def _play(
    subject: Subject, mapping: Mapping, said: dict[str, Any], request: Request, *, quiet: bool
) -> dict[str, Any]:
    """A dry run on a bag."""
    from dataclasses import asdict

    from ltc_edge.cli.node_run import opened_steps
    from ltc_edge.deploy.ros.bag import check_bag
    from ltc_edge.deploy.ros.engine import Engine
    from ltc_edge.deploy.ros.play import play
    from ltc_edge.supervision.codes import Request as Requests

    for name in ("connect", "listen", "interface", "rate", "duration"):
        if said[name]:
            raise click.UsageError(f"--play takes no --{name}")
    check_bag(said["played"], mapping, said["record"])
    timing = subject.controller.timing
    with opened_steps(subject, said, timing.period_s) as steps:
        engine = Engine(steps, subject.settings, mapping, timing, by_stamp=said["stamps"])
        # What a dry run is for is the controller's actions: nobody needs to arm it.
        played = play(said["played"], engine, mapping, said["record"], request or Requests.ARM)
    if not quiet:
        out = console()
        out.print(f"{played.steps} steps on {played.seconds:.3f} s of {said['played']}")
        out.print(f"  modes   {_listed(played.modes)}")
        out.print(f"  status  {_listed(played.statuses)}")
        if played.rejected:
            out.print(f"  {played.rejected} messages rejected, the last: {played.last_rejection}")
        if said["record"] is not None:
            out.print(f"Actions are in {said['record']}, topic {mapping.sink.topic}.")
    record = None if said["record"] is None else str(said["record"])
    return {"played": str(said["played"]), "record": record, **asdict(played)}


def _run(
    subject: Subject, mapping: Mapping, said: dict[str, Any], request: Request, *, quiet: bool
) -> dict[str, Any]:
    """The node, until it is ended."""
    from ltc_edge.cli.node_run import run_node

    return run_node(subject, mapping, said, request, quiet=quiet)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing"
