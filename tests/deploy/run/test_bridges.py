"""Bridges and the serial line: real middleware on loopback, a real loop, and a plant at the other end."""

import os
import select
import socket
import time
import tty
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from loop_programs import TIMEOUT_S

from ltc_edge.deploy.run.bridging import Bridging, open_bridge
from ltc_edge.deploy.run.datagrams import ARM, Readings, action_bytes, decode_action, encode_readings
from ltc_edge.deploy.run.mailbox import Mailbox
from ltc_edge.errors import InputError
from ltc_edge.runtimes.serial_frames import stuffed, unstuffed

ACTIVE, DISARMED = 2, 0
OBSERVATION = np.float32([0.5, 0.25])


def until(found, give, take):
    """Give readings and take actions until one is as wanted."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        give()
        action = take()
        if action is not None and found(action):
            return action
    raise AssertionError("it never came so")


@contextmanager
def bridged(begin, tiny_controller, io):
    """A bridge with a loop behind it."""
    with open_bridge(io, tiny_controller(), bind=False) as bridge:
        assert isinstance(bridge, Bridging)
        loop = begin(bridge.url, bridge.handles)
        yield loop
        # The loop ends first, so that its last action still goes out.
        loop.end()


def test_a_mailbox_gives_the_newest_readings_and_repeats_requests_until_they_are_taken(begin):
    actions = []
    box = Mailbox(2, 1)
    loop = begin(box.url, box.handles)
    box.listen(actions.append)
    for index in range(50):  # much faster than the loop, which sees a few
        box.put(Readings(np.float32([index, 0.25]), 0, requests=ARM if index == 3 else 0))
    deadline = time.monotonic() + TIMEOUT_S
    while not (actions and actions[-1].mode == ACTIVE and actions[-1].readings >= 50):
        box.put(Readings(OBSERVATION, 0))
        time.sleep(0.005)  # some of a period
        assert time.monotonic() < deadline
    last = loop.end()
    box.close()
    assert last.io["malformed"] == last.io["old"] == 0
    assert actions[-1].action.tolist() == [0.0]
    assert [action.sequence for action in actions] == sorted({action.sequence for action in actions})


def test_a_mailbox_whose_memory_is_torn_gives_nothing(begin):
    box = Mailbox(2, 1)
    loop = begin(box.url, box.handles)
    box.put(Readings(OBSERVATION, 0))
    while loop.snapshot().io["taken"] < 1:
        pass
    box._memory[16 + 24] ^= 1  # a value, whose CRC is then wrong
    box._memory[:4] = (1000).to_bytes(4, "little")
    before = loop.snapshot().counts["periods"]
    while loop.snapshot().counts["periods"] < before + 3:
        pass
    assert loop.snapshot().io["taken"] == 1
    box.close()


def test_zenoh(begin, tiny_controller):
    zenoh = pytest.importorskip("zenoh")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"tcp/127.0.0.1:{free.getsockname()[1]}"
    with bridged(begin, tiny_controller, f"zenoh://test/arm?listen={endpoint}") as loop:
        configuration = zenoh.Config()
        configuration.insert_json5("mode", '"client"')
        configuration.insert_json5("connect/endpoints", f'["{endpoint}"]')
        configuration.insert_json5("scouting/multicast/enabled", "false")
        with zenoh.open(configuration) as session:
            heard = session.declare_subscriber("test/arm/action", zenoh.handlers.FifoChannel(1000))
            readings = encode_readings(Readings(OBSERVATION, 0, requests=ARM, timestamp=77))

            def take():
                return decode_action(heard.recv().payload.to_bytes())

            session.put("test/arm/readings", b"no readings")
            action = until(
                lambda action: action.mode == ACTIVE and action.action[0] != 0,
                lambda: session.put("test/arm/readings", readings),
                take,
            )
            assert action.timestamp == 77
            loop.end()
            while (action := take()).mode != DISARMED or action.action[0] != 0:
                pass


def test_dds(begin, tiny_controller):
    pytest.importorskip("cyclonedds")
    from cyclonedds.domain import DomainParticipant
    from cyclonedds.pub import DataWriter
    from cyclonedds.sub import DataReader
    from cyclonedds.topic import Topic

    from ltc_edge.deploy.run.dds_bridge import dds_types

    readings_type, action_type = dds_types()
    # A domain of this process's own, such that workers do not hear each other.
    domain = 1 + os.getpid() % 200
    with bridged(begin, tiny_controller, f"dds://arm?domain={domain}"):
        participant = DomainParticipant(domain)
        writer = DataWriter(participant, Topic(participant, "arm_readings", readings_type))
        reader = DataReader(participant, Topic(participant, "arm_action", action_type))
        said = readings_type(
            timestamp=7, requests=ARM, observation=OBSERVATION.tolist(), age_s=[0.0, 0.0], external=[]
        )
        wrong = readings_type(timestamp=7, requests=ARM, observation=[1.0], age_s=[], external=[])
        writer.write(wrong)

        def take():
            found = reader.take(10)
            return found[-1] if found else time.sleep(0.01)

        action = until(
            lambda action: action.mode == ACTIVE and action.action[0] != 0, lambda: writer.write(said), take
        )
        assert action.timestamp == 7
        assert len(action.proposal) == 1


MAVLINK = """
send = "{send}"
target_system = 3

[readings.target]
message = "ATTITUDE"
field = "roll"

[readings.level]
message = "HIL_ACTUATOR_CONTROLS"
field = "controls"
element = 2
scale = 0.5

[actions.drive]
channel = 1
scale = 100
offset = 1500
"""


@pytest.mark.parametrize("send", ["SET_ACTUATOR_CONTROL_TARGET", "RC_CHANNELS_OVERRIDE"])
def test_mavlink(begin, tiny_controller, tmp_path, monkeypatch, send):
    monkeypatch.setenv("MAVLINK20", "1")
    pytest.importorskip("pymavlink")
    from pymavlink import mavutil

    (tmp_path / "map.toml").write_text(MAVLINK.format(send=send))
    with open_bridge(f"mavlink://udp:0?map={tmp_path}/map.toml", tiny_controller(), bind=False) as bridge:
        loop = begin(bridge.url, bridge.handles, at_start="arm")
        there = bridge.where.removeprefix("mavlink://")
        peer = mavutil.mavlink_connection(there.replace("udp:", "udpout:"), dialect="common")

        def give():
            peer.mav.attitude_send(0, 0.5, 0, 0, 0, 0, 0)
            peer.mav.hil_actuator_controls_send(0, [0.0, 0.0, 0.5] + [0.0] * 13, 0, 0)

        def take():
            message = peer.recv_match(type=send, blocking=True, timeout=0.05)
            channel = "controls" if send.startswith("SET") else None
            if message is None:
                return None
            assert message.target_system == 3
            return message.controls[1] if channel else message.chan2_raw

        try:
            moved = until(lambda value: value != 1500, give, take)
            assert abs(moved - 1500) <= 100
            assert loop.end().observation.tolist() == [0.5, 0.25]
            until(lambda value: value == 1500, lambda: None, take)
        finally:
            peer.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"roll"', '"rol"'), "ATTITUDE has no field rol"),
        (('"ATTITUDE"', '"ATITUDE"'), "no message ATITUDE"),
        (("element = 2", "element = 16"), "has 16 elements"),
        (("channel = 1", "channel = 8"), "no whole number from 0 to 7"),
        (("scale = 100", "scale = nan"), "no finite number"),
        (("[readings.level]", "[readings.levle]"), "must have the signals target, level"),
        (("target_system = 3", 'target = "x"'), "is none of send"),
    ],
)
def test_a_mavlink_map_that_cannot_be_is_refused(tiny_controller, tmp_path, change, message):
    pytest.importorskip("pymavlink")
    (tmp_path / "map.toml").write_text(MAVLINK.format(send="RC_CHANNELS_OVERRIDE").replace(*change))
    with pytest.raises(InputError, match=message):
        open_bridge(f"mavlink://udp:0?map={tmp_path}/map.toml", tiny_controller(), bind=False)


@pytest.mark.parametrize(
    ("io", "message"),
    [
        ("zenoh://x?listen=tcp/0.0.0.0:0", "other machines"),
        ("zenoh://x y", "is no key"),
        ("zenoh://x?color=1", "no option 'color'"),
        ("dds://x?domain=999", "no domain"),
        ("dds://a/b", "no topic"),
        ("mavlink://udp:0", "expected mavlink"),
    ],
)
def test_what_a_bridge_refuses(tiny_controller, io, message):
    with pytest.raises(InputError, match=message):
        open_bridge(io, tiny_controller(), bind=False)


def test_serial(begin):
    leader, follower = os.openpty()
    tty.setraw(leader)
    loop = begin(f"serial://{os.ttyname(follower)}?baud=921600")
    pending, sequence = bytearray(), 0

    def give():
        nonlocal sequence
        sequence += 1
        content = encode_readings(Readings(OBSERVATION, sequence, requests=ARM))
        frame = stuffed(content + zlib.crc32(content).to_bytes(4, "little"))
        damaged = bytearray(frame)
        damaged[10] ^= 3
        os.write(leader, b"noise\0" + frame + b"\0" + damaged + b"\0")

    def take():
        if b"\0" not in pending and select.select([leader], [], [], 0.1)[0]:
            pending.extend(os.read(leader, 4096))
        frame, mark, rest = bytes(pending).partition(b"\0")
        if not mark or not frame:
            pending[:] = rest if mark else frame
            return None
        pending[:] = rest
        content = unstuffed(frame)
        assert content is not None
        assert len(content) == action_bytes(1) + 4
        assert zlib.crc32(content[:-4]) == int.from_bytes(content[-4:], "little")
        return decode_action(content[:-4])

    until(lambda action: action.mode == ACTIVE and action.action[0] != 0, give, take)
    last = loop.end()
    assert last.io["taken"] > 0
    assert last.io["malformed"] > 0
    until(lambda action: action.mode == DISARMED and action.action[0] == 0, lambda: None, take)
    os.close(leader)
    os.close(follower)
