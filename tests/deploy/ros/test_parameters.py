"""Parameters as services: what they answer, and that clients who know ROS 2's wire alone are answered."""

import os
import socket
import struct
import time
import uuid

import numpy as np
import pytest

from ltc_edge.deploy.ros.dds_service import join_call, split_call
from ltc_edge.deploy.ros.dds_types import dds_call_type, dds_sample, dds_type, plain_dds_type
from ltc_edge.deploy.ros.interfaces import MessageType, ServiceType
from ltc_edge.deploy.ros.layout import NotThisMessageError
from ltc_edge.deploy.ros.over_dds import DdsMiddleware, open_domain
from ltc_edge.deploy.ros.over_zenoh import ZenohMiddleware
from ltc_edge.deploy.ros.parameter_values import Kind, flattened
from ltc_edge.deploy.ros.parameters import ABSENT, READ_ONLY, ParameterServices, listed
from ltc_edge.deploy.ros.quality import PARAMETERS
from ltc_edge.deploy.ros.whole_messages import made, read, written

# As ROS 2's own generator wrote them into the headers of its packages.
KNOWN_HASHES = {
    "rcl_interfaces/srv/ListParameters": "3e6062bfbb27bfb8730d4cef2558221f51a11646d78e7bb30a1e83afac3aad9d",
    "rcl_interfaces/srv/GetParameters": "bf9803d5c74cf989a5de3e0c2e99444599a627c7ff75f97b8c05b01003675cbc",
    "rcl_interfaces/srv/DescribeParameters": (
        "845b484d71eb0673dae682f2e3ba3c4851a65a3dcfb97bddd82c5b57e91e4cff"
    ),
    "rcl_interfaces/srv/SetParameters": "56eed9a67e169f9cb6c1f987bc88f868c14a8fc9f743a263bc734c154015d7e0",
}
DOCUMENT = {
    "controller": "lag",
    "period_s": 0.02,
    "dt_range_s": [0.01, 4],
    "actions": [{"name": "drive", "unit": "V", "low": -1.0, "slew": None}],
    "supervisor": {"misses_allowed": 3, "pd_gain": [[1.0, 2.0], [3.0, 4.0]], "pd_target": [], "armed": False},
}
NAMES = [
    "actions",
    "actions.drive.low",
    "actions.drive.unit",
    "controller",
    "dt_range_s",
    "period_s",
    "supervisor.armed",
    "supervisor.misses_allowed",
    "supervisor.pd_gain",
]
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def services():
    served = ParameterServices(DOCUMENT).services("/lag")
    return {name: (service, answer) for name, service, answer in served}


def called(services, name, **fields):
    service, answer = services[f"/lag/{name}"]
    return read(service.response, answer(written(service.request, made(service.request.name, **fields))))


def parameters(*names):
    kind = "rcl_interfaces/msg/ParameterValue"
    unset = {field: [] for field in ("byte", "bool", "integer", "double", "string")}
    arrays = {f"{field}_array_value": np.zeros(0) if field != "string" else [] for field in unset}
    value = made(kind, type=1, bool_value=True, integer_value=0, double_value=0.0, string_value="", **arrays)
    return [made("rcl_interfaces/msg/Parameter", name=name, value=value) for name in names]


@pytest.mark.parametrize("name", KNOWN_HASHES)
def test_hashes_are_those_of_ros(name):
    assert ServiceType(name).type_hash == f"RIHS01_{KNOWN_HASHES[name]}"


def test_names_of_parameters():
    flat = flattened(DOCUMENT)
    assert list(flat) == NAMES
    assert flat["actions"] == ("drive",)
    assert flat["dt_range_s"] == (0.01, 4.0)
    assert flat["supervisor.pd_gain"] == (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("prefixes", "depth", "expected"),
    [
        ([], 0, NAMES),
        ([], 1, ["actions", "controller", "dt_range_s", "period_s"]),
        (["actions"], 0, NAMES[:3]),
        (["actions"], 1, ["actions"]),
        (["actions"], 2, NAMES[:3]),
        (["action", "nothing"], 0, []),
        (["supervisor", "period_s"], 0, NAMES[5:]),
    ],
)
def test_what_is_listed(services, prefixes, depth, expected):
    assert listed(NAMES, prefixes, depth) == expected
    result = called(services, "list_parameters", prefixes=prefixes, depth=depth).result
    assert result.names == expected
    assert result.prefixes == sorted({name.rpartition(".")[0] for name in expected} - {""})


def test_values_types_and_descriptions(services):
    asked = [*NAMES, "nothing"]
    kinds = [
        Kind.STRING_ARRAY,
        Kind.DOUBLE,
        Kind.STRING,
        Kind.STRING,
        Kind.DOUBLE_ARRAY,
        Kind.DOUBLE,
        Kind.BOOL,
        Kind.INTEGER,
        Kind.DOUBLE_ARRAY,
        Kind.NOT_SET,
    ]
    values = called(services, "get_parameters", names=asked).values
    assert [value.type for value in values] == kinds
    assert values[0].string_array_value == ["drive"]
    assert values[3].string_value == "lag"
    assert values[4].double_array_value.tolist() == [0.01, 4.0]
    assert values[7].integer_value == 3
    assert values[6].bool_value is False
    assert called(services, "get_parameter_types", names=asked).types.tolist() == kinds
    described = called(services, "describe_parameters", names=asked).descriptors
    assert [(each.name, each.type) for each in described] == list(zip(asked, kinds, strict=True))
    assert [each.read_only for each in described] == [True] * len(NAMES) + [False]


def test_nothing_can_be_set(services):
    results = called(services, "set_parameters", parameters=parameters("period_s", "x")).results
    assert [(each.successful, each.reason) for each in results] == [(False, READ_ONLY), (False, ABSENT)]
    whole = called(services, "set_parameters_atomically", parameters=parameters("period_s", "x")).result
    assert (whole.successful, whole.reason) == (False, ABSENT)
    assert called(services, "set_parameters_atomically", parameters=[]).result.successful
    assert called(services, "get_parameters", names=["period_s"]).values[0].double_value == 0.02


def test_responses_are_cyclonedds_own_bytes(services):
    """Its serialiser reads what rosbags' wrote, in the shape that discovery compares, and writes it again."""
    names = {"names": NAMES}
    for name, fields in {
        "list_parameters": {"prefixes": [], "depth": 0},
        "get_parameters": names,
        "get_parameter_types": names,
        "describe_parameters": names,
    }.items():
        service, answer = services[f"/lag/{name}"]
        response = answer(written(service.request, made(service.request.name, **fields)))
        plain = plain_dds_type(service.response)
        assert plain.deserialize(response).serialize(use_version_2=False) == response


@pytest.mark.parametrize("payload", [b"", b"\0\1\0\0", b"\0\1\0\0" + b"\xff" * 8, bytes(1 << 17)])
def test_what_is_no_request(services, payload):
    _, answer = services["/lag/get_parameters"]
    with pytest.raises(NotThisMessageError):
        answer(payload)


def test_a_call_has_its_number_before_the_message():
    message = b"\0\1\0\0" + struct.pack("<I", 7)
    call = struct.pack("<Qq", 0xABCD, 5)
    assert join_call(call, message) == b"\0\1\0\0" + call + message[4:]
    assert split_call(join_call(call, message)) == (call, message)
    with pytest.raises(NotThisMessageError):
        split_call(b"\0\1\0\0" + call[:-1])


def offered(middleware):
    for name, service, answer in ParameterServices(DOCUMENT).services("/lag"):
        middleware.serve(name, service, PARAMETERS, answer)


LIST = ServiceType("rcl_interfaces/srv/ListParameters")


def asked_list():
    return written(LIST.request, made(LIST.request.name, prefixes=["actions"], depth=0))


def test_a_client_over_zenoh():
    """It knows the key and the attachment that rmw_zenoh's design says, and the token that it looks for."""
    zenoh = pytest.importorskip("zenoh")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"tcp/127.0.0.1:{probe.getsockname()[1]}"
    middleware = ZenohMiddleware("lag", 5, listen=[place])
    offered(middleware)
    configuration = zenoh.Config()
    configuration.insert_json5("connect/endpoints", f'["{place}"]')
    configuration.insert_json5("listen/endpoints", "[]")
    configuration.insert_json5("scouting/multicast/enabled", "false")
    digest = KNOWN_HASHES[LIST.name]
    kind = f"rcl_interfaces::srv::dds_::ListParameters_/RIHS01_{digest}"
    with zenoh.open(configuration) as session:
        tokens = session.liveliness().get("@ros2_lv/5/*/0/*/SS/%/%/lag/**")
        keys = {str(token.ok.key_expr).split("/lag/")[1] for token in tokens}
        assert len(keys) == 6
        assert f"%lag%list_parameters/{kind}/::,1000:,:,:,," in keys
        beside = struct.pack("<qqB16s", 9, 1, 16, bytes(range(16)))
        everything = zenoh.QueryTarget.ALL_COMPLETE
        whole = {"target": everything, "consolidation": zenoh.ConsolidationMode.NONE}
        key = f"5/lag/list_parameters/{kind}"
        replies = list(session.get(key, payload=asked_list(), attachment=beside, **whole))
        assert [reply.ok is not None for reply in replies] == [True]
        sample = replies[0].ok
        assert read(LIST.response, sample.payload.to_bytes()).result.names == NAMES[:3]
        sequence, stamp_ns, size, client = struct.unpack("<qqB16s", sample.attachment.to_bytes())
        assert (sequence, size, client) == (9, 16, bytes(range(16)))
        assert abs(stamp_ns - time.time_ns()) < 60e9
        for payload, attachment in ((b"\0\1\0\0", beside), (asked_list(), b"?"), (asked_list(), None)):
            (refused,) = session.get(key, payload=payload, attachment=attachment, **whole)
            assert refused.ok is None
    middleware.close()


class DdsClient:
    """Speaks as rmw_cyclonedds does: topics rq and rr, and 16 bytes before each message."""

    def __init__(self, domain):
        from cyclonedds.core import Policy, Qos
        from cyclonedds.domain import DomainParticipant
        from cyclonedds.pub import DataWriter
        from cyclonedds.sub import DataReader
        from cyclonedds.topic import Topic
        from cyclonedds.util import duration

        open_domain(domain, "lo")
        self.participant = DomainParticipant(domain)
        reliable = Policy.Reliability.Reliable(duration(seconds=1))
        qos = Qos(reliable, Policy.History.KeepLast(10))
        latched = Qos(reliable, Policy.Durability.TransientLocal, Policy.History.KeepLast(1))
        self.request = dds_call_type(LIST.request)

        def topic(name, kind):
            return Topic(self.participant, name, kind)

        # What rmw_cyclonedds announces has no numbers before the message, and must match all the same.
        get = ServiceType("rcl_interfaces/srv/GetParameters")
        self.plain = (
            DataWriter(self.participant, topic("rq/lag/get_parametersRequest", dds_type(get.request)), qos),
            DataReader(self.participant, topic("rr/lag/get_parametersReply", dds_type(get.response)), qos),
        )
        name = "/lag/list_parameters"
        self.reader = DataReader(self.participant, topic(f"rr{name}Reply", dds_call_type(LIST.response)), qos)
        self.writer = DataWriter(self.participant, topic(f"rq{name}Request", self.request), qos)
        graph = MessageType("rmw_dds_common/msg/ParticipantEntitiesInfo")
        self.graph = DataReader(self.participant, topic("ros_discovery_info", plain_dds_type(graph)), latched)

    def until(self, found):
        begin = time.monotonic()
        while time.monotonic() - begin < PATIENCE_S:
            result = found()
            if result:
                return result
            time.sleep(0.01)
        raise AssertionError(found)

    def ask(self, payload):
        self.until(self.writer.get_matched_subscriptions)
        self.writer.write(dds_sample(self.request, payload))


def test_a_client_over_dds():
    domain = 100 + os.getpid() % 100
    middleware = DdsMiddleware("lag", domain)
    offered(middleware)
    client = DdsClient(domain)
    client.until(client.plain[0].get_matched_subscriptions)
    client.until(client.plain[1].get_matched_publications)
    call = struct.pack("<Qq", 0x1122334455667788, 3)
    client.ask(join_call(call, asked_list()))
    (sample,) = client.until(lambda: client.reader.take(4))
    number, response = split_call(sample.payload)
    assert number == call
    assert read(LIST.response, response).result.names == NAMES[:3]
    (requests,) = client.writer.get_matched_subscriptions()
    (responses,) = client.reader.get_matched_publications()
    ends = (
        client.writer.get_matched_subscription_data(requests),
        client.reader.get_matched_publication_data(responses),
    )
    told = client.until(lambda: [each for each in client.graph.take(50) if len(told_readers(each)) == 6])
    assert uuid.UUID(bytes=bytes(told[-1].gid.data)) == ends[0].participant_key
    (node,) = told[-1].node_entities_info_seq
    assert (node.node_namespace, node.node_name) == ("/", "lag")
    assert ends[0].key in {uuid.UUID(bytes=bytes(gid.data)) for gid in node.reader_gid_seq}
    assert ends[1].key in {uuid.UUID(bytes=bytes(gid.data)) for gid in node.writer_gid_seq}
    said = [user_data_of(end) for end in ends]
    assert said[0] == said[1]
    assert said[0].startswith(b"serviceid=")
    assert said[0].endswith(f";typehash=RIHS01_{KNOWN_HASHES[LIST.name]};".encode())
    middleware.close()


def told_readers(sample):
    infos = getattr(sample, "node_entities_info_seq", None)
    return infos[0].reader_gid_seq if infos else []


def user_data_of(endpoint):
    from cyclonedds.core import Policy

    (said,) = [policy for policy in endpoint.qos if isinstance(policy, Policy.Userdata)]
    return bytes(said.data)
