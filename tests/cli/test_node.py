"""``ltc-edge node`` and ``ltc-edge deploy --ros2-control``: on bags, on a network, and on bad input."""

import json
import math
import os
import signal
import threading

import pytest

from ltc_edge.deploy.ros.bag import BagWriter, read_bag
from ltc_edge.deploy.ros.cdr import Encoder
from ltc_edge.deploy.ros.fields import parse_field
from ltc_edge.deploy.ros.interfaces import find_type, type_store
from ltc_edge.deploy.ros.mapping import default_mapping
from ltc_edge.deploy.ros.opened import Subject

STATES, COMMANDS = find_type("JointState"), find_type("Float64MultiArray")
BEGIN_NS = 1_700_000_000_000_000_000
STEPS = 60
COMPILED = []


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A robot's bag: 60 messages at 50 Hz, one of them not finite, and a topic of somebody else."""
    folder = tmp_path_factory.mktemp("bag") / "robot"
    encoder = Encoder(STATES, [parse_field("position[target]"), parse_field("position[level]")])
    writer = BagWriter(folder, [("/joint_states", STATES), ("/other", COMMANDS)])
    for index in range(STEPS):
        now_ns = BEGIN_NS + index * 20_000_000
        level = math.nan if index == 40 else 0.1 * math.sin(index)
        writer.write(0, now_ns, encoder.write([0.4, level], now_ns))
        writer.write(1, now_ns + 1, b"\0\1\0\0")
    writer.close()
    return folder


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch):
    """The controller's C is compiled by the first test that runs it."""
    compiled = Subject.supervised

    def supervised(self, *, trust_c):
        if not COMPILED:
            COMPILED.append(compiled(self, trust_c=trust_c))
        COMPILED[0].start()
        return COMPILED[0]

    monkeypatch.setattr(Subject, "supervised", supervised)


def actions_of(folder):
    mapping = default_mapping(("a",), ("b",), ("/tiny/commands", COMMANDS), ("/x", COMMANDS))
    for _, now_ns, payload in read_bag(folder, mapping):
        yield now_ns, type_store().deserialize_cdr(payload, COMMANDS.name).data.tolist()


def test_a_dry_run_is_the_same_every_time_and_replays(cli, lag_bundle, bag, tmp_path):
    out, _ = cli("node", lag_bundle, "--play", bag, "--record", tmp_path / "a", "--json")
    log = tmp_path / "log.mcap"
    cli("node", lag_bundle, "--play", bag / "robot.mcap", "--record", tmp_path / "b", "--log", log)
    document = json.loads(out)
    assert (document["messages"], document["steps"], document["rejected"]) == (STEPS, STEPS, 0)
    assert document["modes"]["active"] > 30
    assert document["statuses"]["bad-input"] == 1
    assert document["node"] == "tiny"
    actions = list(actions_of(tmp_path / "a"))
    assert actions == list(actions_of(tmp_path / "b"))
    assert [now_ns for now_ns, _ in actions] == [BEGIN_NS + index * 20_000_000 for index in range(STEPS)]
    assert len({action for _, (action,) in actions}) > 10
    replayed, _ = cli("replay", log, "--bundle", lag_bundle, "--json")
    (played,) = json.loads(replayed)["logs"]
    assert (played["steps"], played["differing_steps"]) == (STEPS, 0)


def test_what_a_bag_lacks(cli, lag_bundle, bag, tmp_path):
    cases = {
        ("--observation-topic", "/states"): "has no topic /states; it has /joint_states, /other",
        ("--observation-type", "Twist"): "no field that 'target' names",
        ("--observation-type", "Float64MultiArray"): "is of sensor_msgs/msg/JointState, and the mapping says",
        ("--rate", "5"): "--play takes no --rate",
    }
    for options, why in cases.items():
        _, err = cli("node", lag_bundle, "--play", bag, "--record", tmp_path / "new", *options, expect=2)
        assert why in err
        assert not (tmp_path / "new").exists()
    _, err = cli("node", lag_bundle, "--play", bag, "--record", bag, expect=2)
    assert "exists already" in err
    _, err = cli("node", lag_bundle, "--play", tmp_path / "none", expect=2)
    assert "is not there" in err
    (tmp_path / "odd.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(40))
    _, err = cli("node", lag_bundle, "--play", tmp_path / "odd.mcap", expect=2)
    assert "cannot be read as a ROS 2 bag" in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it(cli, lag_bundle, number, code, monkeypatch, tmp_path):
    """Once it runs; with its summary, and its bag whole."""
    from ltc_edge.deploy.ros import controller_node

    run = controller_node.ControllerNode.run

    def run_and_end(self, duration_s=None):
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        run(self, duration_s)

    monkeypatch.setattr(controller_node.ControllerNode, "run", run_and_end)
    before = signal.getsignal(number)
    _, err = cli("node", lag_bundle, "--arm", "--record", tmp_path / "bag", expect=code)
    assert "Ended disarmed" in err
    assert signal.getsignal(number) is before
    assert (tmp_path / "bag" / "metadata.yaml").is_file()


def test_bad_usage(cli, lag_bundle, tmp_path):
    (tmp_path / "map.toml").write_text("x = 1")
    cases = {
        ("--arm", "--shadow"): "exclude each other",
        ("--node-name", "a b"): "no digit first",
        ("--action-topic", "commands"): "beginning with /",
        ("--observation-type", "Nothing"): "no such message type",
        ("--map", tmp_path / "map.toml"): "'x', which is none of",
        ("--map", tmp_path / "map.toml", "--action-type", "Twist"): "leave out --action-type",
        ("--interface", "lo"): "is for --middleware dds",
        ("--middleware", "dds", "--connect", "tcp/a:1"): "are for --middleware zenoh",
        ("--connect", "localhost"): "no endpoint",
        ("--format", "c-int16"): "has no c-int16",
    }
    for options, why in cases.items():
        out, err = cli("node", lag_bundle, *options, expect=2)
        assert why in err
        assert out == ""


def test_a_plugin_of_ros2_control(cli, lag_bundle, tmp_path):
    folder = tmp_path / "plugin"
    out, _ = cli("deploy", lag_bundle, "--ros2-control", folder, "--dry-run", "--json")
    assert json.loads(out)["written"] is False
    assert not folder.exists()
    out, _ = cli("deploy", lag_bundle, "--ros2-control", folder, "--json")
    document = json.loads(out)
    assert document["plugin"] == "tiny_controller/LtcController"
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == document["files"]
    _, err = cli("deploy", lag_bundle, "--ros2-control", folder, expect=2)
    assert "exists already" in err
    out, _ = cli("deploy", lag_bundle, "--ros2-control", folder, "--force")
    assert "target/position, level/position" in out
    _, err = cli("deploy", "--ros2-control", tmp_path / "x", expect=2)
    assert "which bundle" in err
