"""A fleet's file, as `profile` and `deploy` both read it."""

import pytest

from ltc_edge.errors import InputError
from ltc_edge.targets.fleet import KINDS, read_fleet_table

FLEET = """
canary = "b"
[devices.a]
address = "ssh://pi@a"
groups = ["lab", "arms"]
[devices.b]
address = "local"
groups = ["lab"]
[devices.c]
address = "cortex-m4"
"""


@pytest.fixture
def read(tmp_path):
    def read(text, groups=()):
        (tmp_path / "fleet.toml").write_text(text)
        return read_fleet_table(tmp_path / "fleet.toml", groups)

    return read


@pytest.mark.parametrize(
    ("groups", "labels"), [((), "abc"), (("lab",), "ab"), (("arms",), "a"), (("arms", "lab"), "ab")]
)
def test_groups(read, groups, labels):
    table = read(FLEET, groups)
    assert "".join(table.devices) == labels
    assert table.canary == ("b" if "b" in labels else None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[devices.a]\naddress = 'local'\n[devices.A]\naddress = 'local'", "one name but for capitals"),
        ("[devices.'../a']\naddress = 'local'", "is no name of a device"),
        ("[devices.'.a']\naddress = 'local'", "is no name of a device"),
        ("[devices.a]\naddress = 'local'\ngroups = 'lab'", "groups cannot be 'lab'"),
        ("[devices.a]\naddress = 'local'\ngroups = ['a b']", "groups must be names"),
        ("[devices.a]\naddress = ''", "address cannot be ''"),
    ],
)
def test_what_is_no_fleet(read, text, message):
    with pytest.raises(InputError, match=message) as refused:
        read(text)
    assert "\n" not in str(refused.value)


def test_a_group_that_nobody_is_in(read):
    with pytest.raises(InputError, match="no device is in the group 'attic'; there are lab, arms"):
        read(FLEET, ("attic",))
    with pytest.raises(InputError, match=r"add groups = \[...\]"):
        read("[devices.a]\naddress = 'local'", ("lab",))


def test_thousands_of_devices(read):
    text = "".join(f'[devices.d{n}]\naddress = "ssh://pi@host-{n}.local/balance"\n' for n in range(1500))
    assert len(text) > 1 << 16
    assert len(read(text).devices) == 1500


def test_every_key_is_known_to_deploy_or_to_profile(read):
    """One that neither reads would do nothing, silently."""
    from ltc_edge.deploy.linux.fleet_file import _DEVICE, _LOOP

    assert set(KINDS) == {"address", "groups", "remote_dir", *_DEVICE, *_LOOP}
