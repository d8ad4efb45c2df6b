"""A node among others on real sockets, over zenoh and over DDS: armed, deaf, in the shadow, ended."""

import json
import os
import socket
import threading
import time

import pytest

from ltc_edge.deploy.ros.cdr import Encoder
from ltc_edge.deploy.ros.controller_node import ControllerNode, NodeSettings
from ltc_edge.deploy.ros.engine import Engine
from ltc_edge.deploy.ros.interfaces import find_type, type_store
from ltc_edge.deploy.ros.over_dds import DdsMiddleware
from ltc_edge.deploy.ros.over_zenoh import ZenohMiddleware
from ltc_edge.deploy.ros.quality import COMMAND, LATCHED, SENSOR_DATA, Quality
from ltc_edge.deploy.ros.texts import STRING, message_text, text_message
from ltc_edge.errors import InputError
from ltc_edge.supervision.codes import Mode, Request

STATES, COMMANDS = find_type("JointState"), find_type("Float64MultiArray")
PATIENCE_S = 20.0


def domain():
    """One of its own for each worker, so that they do not hear each other."""
    return 100 + os.getpid() % 100


def endpoint():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp/127.0.0.1:{probe.getsockname()[1]}"


def pair(kind):
    """Two middlewares that reach each other on this machine alone: a robot's, and a node's."""
    if kind == "dds":
        return DdsMiddleware("robot", domain()), DdsMiddleware("lag", domain())
    place = endpoint()
    return ZenohMiddleware("robot", 5, listen=[place]), ZenohMiddleware("lag", 5, connect=[place])


class Robot:
    """Says what it measures, and keeps what it is told."""

    def __init__(self, middleware, mapping):
        self.actions, self.proposals, self.statuses = [], [], []
        self._came = threading.Condition()
        self._encoder = Encoder(STATES, mapping.sources[0].paths)
        self._say = middleware.publisher("/states", STATES, COMMAND)
        self._ask = middleware.publisher("/lag/request", STRING, Quality())
        middleware.subscribe("/lag/commands", COMMANDS, SENSOR_DATA, self._keep(self.actions, self._number))
        middleware.subscribe("/lag/proposal", COMMANDS, SENSOR_DATA, self._keep(self.proposals, self._number))
        middleware.subscribe("/lag/status", STRING, Quality(), self._keep(self.statuses, self._status))

    def _number(self, payload):
        return type_store().deserialize_cdr(payload, COMMANDS.name).data.tolist()

    def _status(self, payload):
        return json.loads(message_text(payload))

    def _keep(self, kept, read):
        def keep(payload):
            with self._came:
                kept.append(read(payload))
                self._came.notify_all()

        return keep

    def until(self, holds, *, speaking=True, asking=None):
        """Goes on saying and asking until something holds of what came."""
        begin = time.monotonic()
        while True:
            if asking is not None:
                self._ask(text_message(asking))
            if speaking:
                self._say(self._encoder.write([0.3, 0.1], time.time_ns()))
            with self._came:
                if self._came.wait_for(holds, 0.01):
                    return
            assert time.monotonic() - begin < PATIENCE_S, (self.actions[-3:], self.statuses[-1:])


@pytest.fixture(params=["zenoh", "dds"])
def scene(request, subject, supervised, mapping):
    """A robot, a node, and the thread that it runs in."""
    supervised.start()
    near, far = pair(request.param)
    robot = Robot(near, mapping)
    engine = Engine(supervised, subject.settings, mapping, subject.controller.timing)
    settings = NodeSettings("lag", 0.02, None, Request.NONE, {"answer": 42})
    node = ControllerNode(engine, mapping, subject.settings, far, settings)
    running = threading.Thread(target=node.run)
    running.start()
    yield robot, node, near
    node.stop()
    running.join(PATIENCE_S)
    near.close()
    assert not running.is_alive()


def test_a_node_acts_only_when_it_is_told(scene, subject):
    robot, node, near = scene
    resting = list(subject.settings.resting)
    robot.until(lambda: any(status["steps"] > 3 for status in robot.statuses))
    assert robot.actions == []
    robot.until(lambda: node.counts.rejected > 0, asking="explode")
    robot.until(lambda: len(robot.proposals) > 3, asking="shadow")
    assert robot.actions == []
    robot.until(lambda: node.mode is Mode.ACTIVE, asking="arm")
    robot.until(lambda: len(robot.actions) > 15 and robot.actions[-1] != resting)
    robot.until(lambda: robot.actions[-1] == resting and node.mode is Mode.FALLBACK, speaking=False)
    robot.until(lambda: node.mode is Mode.ACTIVE and robot.actions[-1] != resting)
    latched = []
    near.subscribe("/lag/parameters", STRING, LATCHED, latched.append)
    robot.until(lambda: bool(latched))
    assert json.loads(message_text(latched[0])) == {"answer": 42}
    node.stop()
    robot.until(lambda: robot.actions[-1] == resting, speaking=False)
    assert node.counts.rejected >= 1
    assert "explode" in node.counts.last_rejection


def test_a_timer_steps_whatever_comes(subject, supervised, mapping):
    class Deaf:
        """A middleware that nobody else is on."""

        def __init__(self):
            self.sent = {}

        def subscribe(self, *_):
            pass

        def serve(self, *_):
            pass

        def publisher(self, topic, *_):
            return self.sent.setdefault(topic, []).append

        def close(self):
            pass

    supervised.start()
    middleware = Deaf()
    engine = Engine(supervised, subject.settings, mapping, subject.controller.timing)
    settings = NodeSettings("lag", 0.02, 0.005, Request.ARM, {})
    node = ControllerNode(engine, mapping, subject.settings, middleware, settings)
    node.run(0.1)
    assert node.counts.steps == node.counts.actions > 3
    assert len(middleware.sent["/lag/commands"]) == node.counts.actions
    assert node.mode is Mode.DISARMED


def test_networks_that_are_none():
    with pytest.raises(InputError, match="no endpoint"):
        ZenohMiddleware("n", 0, connect=["tcp/localhost"])
    with pytest.raises(InputError, match="zenoh cannot use"):
        ZenohMiddleware("n", 0, listen=["tcp/192.0.2.1:7"])
    with pytest.raises(InputError, match="no network interface"):
        DdsMiddleware("n", domain(), 'lo"/><x')
    DdsMiddleware("n", domain()).close()
    with pytest.raises(InputError, match="open over lo"):
        DdsMiddleware("n", domain(), "eth9")
