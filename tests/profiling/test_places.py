"""Targets on the command line: what they mean, and what is no address."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.errors import InputError
from ltc_edge.profiling.places import Emulated, Local, Remote, Serial, find_place

NAMES = st.from_regex(r"[a-z0-9_][a-z0-9_.-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("local", Local()),
        ("host", Local()),
        ("ssh://pi@raspberrypi.local:2222", Remote("raspberrypi.local", "pi", 2222)),
        ("ssh://pi@raspberrypi.local/", Remote("raspberrypi.local", "pi")),
        ("ssh://192.168.1.20", Remote("192.168.1.20")),
        ("ssh://machine$@host", Remote("host", "machine$")),
        ("ssh://[::1]", Remote("::1")),
        ("ssh://pi@[fe80::1%eth0]:65535", Remote("fe80::1%eth0", "pi", 65535)),
        ("serial:/dev/ttyACM0", Serial("/dev/ttyACM0")),
    ],
)
def test_addresses(name, place):
    assert find_place(name) == place


def test_processors():
    place = find_place("cortex-m4")
    assert isinstance(place, Emulated)
    assert place.target.name == "cortex-m4"


@pytest.mark.parametrize(
    "address",
    [
        "-oProxyCommand=touch x",
        "-oProxyCommand=x@host",
        "pi@-oProxyCommand=x",
        "pi@-l",
        "-l@host",
        "@host",
        "pi@",
        "",
        "pi:secret@host",
        "a@b@host",
        "host;reboot",
        "$(reboot)",
        "host name",
        "host\n",
        "host\0",
        "::1",
        "[::1",
        "[::1]x",
        "[::1]22",
        "[-oProxyCommand]",
        "[::1%]",
        "höst",
    ],
)
def test_what_is_no_address(address):
    with pytest.raises(InputError, match=r"is no address such as|a port is a number") as caught:
        find_place(f"ssh://{address}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "22x", "x", " 22", "2²", "٢٢", "1" * 5000])
def test_what_is_no_port(port):
    for host in ("host", "[::1]"):
        with pytest.raises(InputError, match="a port is a number from 1 to 65535"):
            find_place(f"ssh://{host}:{port}")


@pytest.mark.parametrize("name", ["", "locals", "ssh:", "ssh:host", "serial:", "cortex-m99", "SSH://host"])
def test_what_is_no_target(name):
    with pytest.raises(InputError, match="ssh://user@host") as caught:
        find_place(name)
    assert "\n" not in str(caught.value)


@given(host=NAMES, user=st.none() | NAMES, port=st.none() | st.integers(1, 65535))
def test_parts_of_an_address_are_found_again(host, user, port):
    name = f"ssh://{f'{user}@' if user else ''}{host}{f':{port}' if port else ''}"
    assert find_place(name) == Remote(host, user, port)


@given(st.text() | st.text("-oPC=@:[]%/ \n$a0.", max_size=12))
def test_no_part_of_any_address_can_be_an_option_or_leave_its_word(address):
    try:
        place = find_place(f"ssh://{address}")
    except InputError:
        return
    for part in (place.host, place.user or "pi"):
        assert part
        assert part[0] != "-"
        assert part.isascii()
        assert not set(part) & set(" \t\r\n\0'\"\\`;|&<>()")
    assert place.port is None or 0 < place.port < 1 << 16


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a=" + "[" * 100_000, "larger than any description"),
        ("a=" + "[" * 20_000, "nested too deep"),
        ("=", "not TOML"),
        ('address = "ssh://a"\n"b\\u001b[2J\\n" = "1"', "a device has no 'b"),
        (None, "not a file"),
    ],
    ids=["large", "deep", "no TOML", "odd key", "pipe"],
)
def test_files_that_describe_no_device(tmp_path, content, said):
    path = tmp_path / "device.toml"
    os.mkfifo(path) if content is None else path.write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        find_place(str(path))
    assert str(caught.value).isprintable()
