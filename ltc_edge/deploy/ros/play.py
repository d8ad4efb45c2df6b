"""A dry run: a controller on a robot's bag, as fast as it goes, the same bits every time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.deploy.ros.bag import BagWriter, mapping_topics, read_bag
from ltc_edge.deploy.ros.engine import Engine
from ltc_edge.deploy.ros.layout import NotThisMessageError
from ltc_edge.deploy.ros.mapping import Mapping
from ltc_edge.errors import InputError
from ltc_edge.supervision.codes import Mode, Request, status_names


@dataclass(frozen=True)
class Played:
    """What a controller did on a bag; counts as a node has them, and steps by mode and by status bit."""

    messages: int
    steps: int
    rejected: int
    between: int
    last_rejection: str | None
    modes: dict[str, int]
    statuses: dict[str, int]
    seconds: float


def play(
    bag: Path,
    engine: Engine,
    mapping: Mapping,
    output: Path | None,
    request: Request,
) -> Played:
    """Feed a bag's messages, at their log times, and write the actions into a new bag.

    Args:
        bag: MCAP file or folder of a bag.
        engine: what is stepped; with each message of the mapping's first topic.
        mapping: its topics.
        output: the new bag: the messages and the actions, with the log times of ``bag``. None: none.
        request: what is asked for in the first step.

    Raises:
        InputError: the bag lacks a topic, or has no message of the first.
        RecordingError: the bag is damaged.
        OutputError: the new bag exists already or cannot be written.
    """
    writer = None if output is None else BagWriter(output, mapping_topics(mapping))
    try:
        played = _play(bag, engine, mapping, writer, request)
    except BaseException:
        if writer is not None:
            writer.discard()
        raise
    if writer is not None:
        writer.close()
    return played


def _play(
    bag: Path,
    engine: Engine,
    mapping: Mapping,
    writer: BagWriter | None,
    request: Request,
) -> Played:
    actions = len(mapping.sources)
    modes: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    messages = rejected = between = begin_ns = now_ns = 0
    last_rejection: str | None = None
    engine.request(request)
    for source, now_ns, payload in read_bag(bag, mapping):
        begin_ns = now_ns if messages == 0 else begin_ns
        messages += 1
        if writer is not None:
            writer.write(source, now_ns, payload)
        try:
            due = engine.hear(source, payload, now_ns)
        except NotThisMessageError as error:
            rejected, last_rejection = rejected + 1, str(error)
            continue
        if not due:
            between += source == 0
            continue
        statuses.update(status_names(engine.step(now_ns, now_ns)))
        modes[engine.mode.name.lower()] += 1
        if writer is not None:
            shadow = engine.mode is Mode.SHADOW
            writer.write(actions, now_ns, engine.proposal_message() if shadow else engine.action_message())
    steps = sum(modes.values())
    if not steps:
        why = f": {last_rejection}" if last_rejection else ""
        raise InputError(f"{bag}: made no step: no usable message of {mapping.sources[0].topic}{why}")
    seconds = 1e-9 * (now_ns - begin_ns)
    return Played(messages, steps, rejected, between, last_rejection, dict(modes), dict(statuses), seconds)
