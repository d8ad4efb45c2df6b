"""Types, names and what rmw_zenoh puts around a message, against what real ROS 2 systems were seen to say."""

import pytest

from ltc_edge.deploy.ros.graph_names import (
    check_node_name,
    check_topic,
    dds_topic,
    domain_from_environment,
    node_name,
)
from ltc_edge.deploy.ros.interfaces import find_type
from ltc_edge.deploy.ros.quality import Quality
from ltc_edge.deploy.ros.rmw_zenoh import Entity, attachment, key_expression, read_attachment
from ltc_edge.errors import InputError

# As ROS 2 itself publishes them: in rmw_zenoh's design document, in bags' metadata, in type registries.
KNOWN_HASHES = {
    "std_msgs/msg/String": "df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18",
    "std_msgs/msg/Float64MultiArray": "1025ddc6b9552d191f89ef1a8d2f60f3d373e28b283d8891ddcc974e8c55397f",
    "sensor_msgs/msg/JointState": "a13ee3a330e346c9d87b5aa18d24e11690752bd33a0350f11c5882bc9179260e",
    "geometry_msgs/msg/Twist": "9c45bf16fe0983d80e3cfe750d6835843d265a9a6c46bd2e609fcddde6fb8d2a",
}


@pytest.mark.parametrize("name", KNOWN_HASHES)
def test_hashes_are_those_of_ros(name):
    assert find_type(name).type_hash == f"RIHS01_{KNOWN_HASHES[name]}"


@pytest.mark.parametrize("said", ["JointState", "sensor_msgs/JointState", "sensor_msgs/msg/JointState"])
def test_a_type_is_found_by_any_of_its_names(said):
    assert find_type(said).name == "sensor_msgs/msg/JointState"
    assert find_type(said).dds_name == "sensor_msgs::msg::dds_::JointState_"


@pytest.mark.parametrize("said", ["Joint", "sensor_msgs/msg/", "../JointState", "std_msgs/msg/String;rm", ""])
def test_what_is_no_type(said):
    with pytest.raises(InputError, match=r"sensor_msgs/msg/JointState"):
        find_type(said)


def test_keys_and_tokens_of_the_design_document():
    string = find_type("String")
    key = "0/chatter/std_msgs::msg::dds_::String_/" + string.type_hash
    assert key_expression(0, "/chatter", string) == key
    assert key_expression(0, "/robot1/chatter", string) == key.replace("chatter", "robot1/chatter")
    session = "aac3178e146ba6f1fc6e6a4085e77f21"
    node = Entity(2, session, 0, "NN", "listener")
    assert node.token() == f"@ros2_lv/2/{session}/0/0/NN/%/%/listener"
    heard = Entity(2, session, 10, "MS", "listener", "/chatter", string, Quality(depth=10))
    assert heard.token() == (
        f"@ros2_lv/2/{session}/0/10/MS/%/%/listener/%chatter/std_msgs::msg::dds_::String_/"
        f"{string.type_hash}/::,10:,:,:,,"
    )
    lossy = Entity(2, session, 11, "MP", "talker", "/c", string, Quality(False, 5, True))
    assert lossy.token().endswith("/2:1:,5:,:,:,,")


def test_an_attachment_is_numbers_and_a_gid():
    gid = bytes(range(16))
    content = attachment(3, 1_700_000_000_123_456_789, gid)
    assert (
        content
        == (3).to_bytes(8, "little") + (1_700_000_000_123_456_789).to_bytes(8, "little") + b"\x10" + gid
    )
    assert read_attachment(content) == (3, 1_700_000_000_123_456_789, gid)
    assert read_attachment(content[:-1]) is None
    zenoh_ext = pytest.importorskip("zenoh.ext")
    parts = (zenoh_ext.z_serialize(zenoh_ext.Int64(3)), zenoh_ext.z_serialize(gid))
    assert content[:8] == parts[0].to_bytes()
    assert content[16:] == parts[1].to_bytes()


def test_gids_tell_entities_apart():
    entities = [Entity(0, "ab", number, "NN", "n") for number in range(3)]
    assert len({entity.gid() for entity in entities}) == 3
    assert entities[0].gid() == Entity(0, "ab", 0, "NN", "n").gid()


@pytest.mark.parametrize("name", ["/joint_states", "/a/b_1/c", "/_hidden"])
def test_topics(name):
    assert check_topic(name) == name
    assert dds_topic(name) == f"rt{name}"


@pytest.mark.parametrize(
    "name",
    ["joint_states", "/", "//a", "/a//b", "/1a", "/a b", "/a/**", "/a__b", "/é", "/a$(x)", "/" + "a" * 300],
)
def test_what_is_no_topic(name):
    with pytest.raises(InputError, match="topic"):
        check_topic(name)


@pytest.mark.parametrize(
    ("bundle", "node"),
    [
        ("dc-motor", "dc_motor"),
        ("3 Arms!", "c3_Arms"),
        ("☃", "controller"),
        ("a__b", "a_b"),
        ("x" * 99, "x" * 60),
    ],
)
def test_node_names_made_of_bundles(bundle, node):
    assert node_name(bundle) == node == check_node_name(node)


def test_the_domain_of_the_environment(monkeypatch):
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    assert domain_from_environment() == 0
    monkeypatch.setenv("ROS_DOMAIN_ID", "42")
    assert domain_from_environment() == 42
    for said in ("-1", "233", "a", "4 2"):
        monkeypatch.setenv("ROS_DOMAIN_ID", said)
        with pytest.raises(InputError, match="ROS_DOMAIN_ID"):
            domain_from_environment()
