"""What a message does to the controller: readings, ages and elapsed times, in C as in Python."""

import math

import numpy as np
import pytest

from ltc_edge.controller import Timing
from ltc_edge.deploy.ros.cdr import Encoder
from ltc_edge.deploy.ros.engine import SKEW_NS, Engine
from ltc_edge.deploy.ros.fields import parse_field
from ltc_edge.deploy.ros.interfaces import MessageType, find_type, type_store
from ltc_edge.deploy.ros.layout import NotThisMessageError
from ltc_edge.deploy.ros.mapping import Mapping, Sink, Source
from ltc_edge.supervision.codes import FAULTS, STATUS, Mode, Request
from ltc_edge.supervision.supervisor import Output

STATES, COMMANDS, NUMBER = find_type("JointState"), find_type("Float64MultiArray"), find_type("Float64")
MS = 1_000_000
PERIOD_S = 0.02
TIMING = Timing(PERIOD_S, 0.01, 0.08, PERIOD_S)


class Witness:
    """Stands for a controller: keeps what it was given, and answers with numbers that tell steps apart."""

    def __init__(self):
        self.given = []

    def step(self, given):
        self.given.append(given)
        count = float(len(self.given))
        return Output((count,), (-count,), 0x20, Mode.ACTIVE)


def fields(*said):
    return tuple(parse_field(one) for one in said)


def states(values, stamp_ns=0):
    return Encoder(STATES, fields(*(f"position[{name}]" for name in values))).write(
        list(values.values()), stamp_ns
    )


@pytest.fixture
def watched(subject, mapping):
    witness = Witness()
    return witness, Engine(witness, subject.settings, mapping, TIMING)


def test_a_message_is_what_the_step_is_given(watched):
    witness, engine = watched
    engine.request(Request.ARM)
    engine.hear(0, states({"target": 0.5, "level": -0.25}), 10 * MS)
    assert engine.step(10 * MS, 7) == 0x20
    engine.hear(0, states({"level": 1e300, "arm": 3.0, "target": math.nan}), 35 * MS)  # others, otherwise
    engine.step(36 * MS, 8)
    first, second = witness.given
    assert first.observation == (0.5, -0.25)
    assert (first.dt_s, first.age_s, first.requests) == (np.float32(PERIOD_S), (0.0, 0.0), Request.ARM)
    assert math.isnan(second.observation[0])
    assert second.observation[1] == math.inf
    assert second.dt_s == np.float32(0.026)
    assert second.age_s == (np.float32(0.001),) * 2
    assert second.requests == 0
    assert engine.mode is Mode.ACTIVE
    assert engine.last_ns == 36 * MS
    act, propose = (
        type_store().deserialize_cdr(m, COMMANDS.name)
        for m in (engine.action_message(), engine.proposal_message())
    )
    assert (act.data.tolist(), propose.data.tolist()) == ([2.0], [-2.0])


def test_before_anything_came_readings_are_no_numbers(watched):
    witness, engine = watched
    engine.step(5 * MS, 0)
    assert all(map(math.isnan, (*witness.given[0].observation, *witness.given[0].age_s)))


def test_what_is_no_message_changes_nothing(watched):
    witness, engine = watched
    whole = states({"target": 0.5, "level": 0.25})
    engine.hear(0, whole, 0)
    for damaged in (b"", whole[:20], b"\0\7" + whole[2:], states({"target": 9.0}), whole[:-9] + whole[:9]):
        with pytest.raises(NotThisMessageError):
            engine.hear(0, damaged, 50 * MS)
    engine.step(60 * MS, 0)
    assert witness.given[0].observation == (0.5, 0.25)
    assert witness.given[0].age_s == (np.float32(0.06),) * 2


def test_each_topic_has_its_own_age(subject):
    witness = Witness()
    sources = (
        Source("/level", NUMBER, fields("data"), (1,)),
        Source("/target", NUMBER, fields("data"), (0,)),
    )
    mapping = Mapping(sources, Sink("/c", COMMANDS, fields("data[0]")))
    engine = Engine(witness, subject.settings, mapping, TIMING)
    number = Encoder(NUMBER, fields("data"))
    engine.hear(1, number.write([0.5], 0), 0)
    engine.hear(0, number.write([0.25], 0), 150 * MS)
    engine.step(150 * MS, 0)
    assert witness.given[0].observation == (0.5, 0.25)
    assert witness.given[0].age_s == (np.float32(0.15), 0.0)


def test_by_stamps_ages_and_times_are_the_senders(subject, mapping):
    witness = Witness()
    engine = Engine(witness, subject.settings, mapping, TIMING, by_stamp=True)
    begin = 1_700_000_000_000_000_000
    for sent, arrived in ((0, 30), (20, 31), (45, 90)):
        engine.hear(0, states({"target": 1.0, "level": 1.0}, begin + sent * MS), begin + arrived * MS)
        engine.step(begin + arrived * MS, 0)
    assert [given.dt_s for given in witness.given[1:]] == [np.float32(0.02), np.float32(0.025)]
    assert [given.age_s[0] for given in witness.given] == [np.float32(s) for s in (0.03, 0.011, 0.045)]
    engine.step(begin + 100 * MS, 0, heard=False)  # the timer's, after which a message of before comes
    engine.hear(0, states({"target": 1.0, "level": 1.0}, begin + 95 * MS), begin + 101 * MS)
    engine.step(begin + 101 * MS, 0)
    assert [given.dt_s for given in witness.given[3:]] == [np.float32(0.055), 0.0]


@pytest.mark.parametrize(("ahead_ns", "age_s"), [(SKEW_NS, 0.0), (SKEW_NS + MS, np.float32(-0.006))])
def test_a_clock_may_be_a_little_ahead(subject, mapping, ahead_ns, age_s):
    witness = Witness()
    engine = Engine(witness, subject.settings, mapping, TIMING, by_stamp=True)
    engine.hear(0, states({"target": 1.0, "level": 1.0}, 10**18 + ahead_ns), 10**18)
    engine.step(10**18, 0)
    assert witness.given[0].age_s[0] == age_s


@pytest.mark.parametrize("little", [True, False])
def test_numbers_of_every_kind(subject, little):
    """As NumPy reads the same message, in both byte orders."""
    witness = Witness()
    kind = MessageType("sensor_msgs/msg/LaserScan")
    made = type_store().types
    for field, value in (
        ("angle_min", 0.5),
        ("header.stamp.sec", -3),
        ("header.stamp.nanosec", 4_000_000_000),
    ):
        source = Source("/scan", kind, fields(field, "range_max"), (0, 1))
        engine = Engine(
            witness, subject.settings, Mapping((source,), Sink("/c", COMMANDS, fields("data[0]"))), TIMING
        )
        content = {"angle_min": 0.5, "angle_max": 0.0, "angle_increment": 0.0, "time_increment": 0.0}
        content |= {"scan_time": 0.0, "range_min": 0.0, "range_max": -2.0}
        content |= {"ranges": np.zeros(3, np.float32), "intensities": np.zeros(0, np.float32)}
        stamp = made["builtin_interfaces/msg/Time"](sec=-3, nanosec=4_000_000_000)
        header = made["std_msgs/msg/Header"](stamp=stamp, frame_id="laser")
        message = made[kind.name](header=header, **content)
        engine.hear(0, bytes(type_store().serialize_cdr(message, kind.name, little_endian=little)), 0)
        engine.step(0, 0)
        assert witness.given[-1].observation == (np.float32(value), -2.0)


class CalledBack:
    """The same controller, stepped from Python."""

    def __init__(self, supervised):
        self.step = supervised.step


def played(engine):
    """Status, mode and both messages of each step, through gaps, faults and requests."""
    rng = np.random.default_rng(4)
    now_ns = 0
    for index in range(300):
        now_ns += int(rng.choice([20, 20, 20, 5, 700])) * MS
        values = rng.normal(size=2) * rng.choice([1.0, 1.0, 1.0, np.nan])
        if index in (3, 150):
            engine.request(Request.ARM)
        if index == 120:
            engine.request(Request.SHADOW)
        if index % 7:
            engine.hear(0, states({"target": values[0], "level": values[1]}), now_ns)
        status = engine.step(now_ns, now_ns)
        yield status, engine.mode, engine.action_message(), engine.proposal_message()


def test_in_c_it_is_the_same_as_called_back(subject, supervised, mapping):
    runs = []
    for stepped in (supervised, CalledBack(supervised)):
        supervised.start()
        runs.append(list(played(Engine(stepped, subject.settings, mapping, TIMING))))
    assert runs[0] == runs[1]
    assert {mode for _, mode, _, _ in runs[0]} == {Mode.DISARMED, Mode.SHADOW, Mode.ACTIVE, Mode.FALLBACK}
    faults = np.bitwise_or.reduce([status for status, *_ in runs[0]]) & FAULTS
    assert faults == STATUS["bad-input"].value | STATUS["stale-input"].value


@pytest.mark.parametrize(
    ("interval_ms", "steps_ms"),
    [
        (20, [0, 20, 40, 60]),
        (13, [0, 13, 26, 39, 52, 65]),  # within what the controller allows
        (9.5, [0, 9.5, 19, 28.5, 38, 47.5, 57, 66.5]),  # nearly
        (3, [0, 21, 42, 63]),  # too often: the nearest to its period
        (8, [0, 16, 32, 48, 64]),
        (1, [0, 20, 40, 60]),
        (70, [0, 70]),
    ],
)
def test_messages_that_come_too_often_are_kept_for_the_next_step(watched, interval_ms, steps_ms):
    _, engine = watched
    stepped = []
    for index in range(int(70 / interval_ms) + 1):
        now_ms = index * interval_ms
        if engine.hear(0, states({"target": 0.5, "level": now_ms}), int(now_ms * MS)):
            engine.step(int(now_ms * MS), 0)
            stepped.append(now_ms)
    assert stepped == steps_ms
