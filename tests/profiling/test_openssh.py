"""How OpenSSH is called, and what its messages become."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.errors import MissingToolError
from ltc_edge.profiling.openssh import explain, ssh_command
from ltc_edge.profiling.places import Remote

PI = Remote("raspberrypi.local", "pi", 2222)
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Host key for [raspberrypi.local]:2222 has changed and you have requested strict checking.
Host key verification failed.
"""


@pytest.fixture
def ssh():
    if shutil.which("ssh") is None:
        pytest.skip("ssh is not installed (Debian: openssh-client)")


@pytest.mark.parametrize(
    ("code", "said", "advice"),
    [
        (255, CHANGED, r"ssh-keygen -R '\[raspberrypi.local\]:2222'"),
        (
            255,
            "No ED25519 host key is known for x and you have requested strict checking.\r\n"
            "Host key verification failed.\r\n",
            "is not known. Compare it .* by: ssh -p 2222 pi@raspberrypi.local$",
        ),
        (255, "pi@x: Permission denied (publickey,password).\r\n", "ssh-copy-id.*: ssh -p 2222 pi@rasp"),
        (255, "ssh: Could not resolve hostname x: Name or service not known\r\n", "check its name"),
        (255, "ssh: connect to host x port 22: Connection refused\r\n", "is sshd running"),
        (255, "ssh: connect to host x port 22: Connection timed out\r\n", "is it switched on"),
        (255, "Connection timed out during banner exchange\r\n", "is it switched on"),
        (255, "ssh: connect to host x port 22: No route to host\r\n", "is it switched on"),
        (255, "ssh: connect to host x port 22: Network is unreachable\r\n", "is this machine on its network"),
        (
            127,
            "bash: line 1: exec: python3: not found\n",
            r"has no python3; install it .* or name .* --python",
        ),
        (127, "", "has no python3"),
        (255, "client_loop: send disconnect: Broken pipe\r\n", r"ended \(client_loop.*\)$"),
        (None, "", r"ended \(Debian GNU/Linux 12\)"),
    ],
)
def test_what_to_do_about_it(code, said, advice):
    text = explain(PI, code, f"Debian GNU/Linux 12\n{said}", "python3")
    assert text.startswith("ssh://pi@raspberrypi.local:2222: ")
    assert "\n" not in text
    assert re.search(advice, text), text


def test_it_says_nothing():
    assert explain(PI, None, "", "python3") == ("ssh://pi@raspberrypi.local:2222: the connection ended")


def test_a_changed_key_of_the_usual_port():
    assert "ssh-keygen -R raspberrypi.local" in explain(Remote("raspberrypi.local"), 255, CHANGED, "python3")
    assert explain(Remote("::1", "pi"), 255, "Permission denied", "python3").endswith("ssh pi@::1")


@given(st.text(), st.none() | st.integers(0, 255))
def test_whatever_it_says_is_one_line(said, code):
    assert len(explain(PI, code, said, "python3").splitlines()) == 1


def test_host_keys_are_checked_and_nothing_is_asked(ssh):
    command = ssh_command(PI, ["python3", "-c", "print('a b')"])
    written = " ".join(command).lower()
    for word in ("stricthostkeychecking", "knownhosts", "-f /dev/null", "proxycommand"):
        assert word not in written
    # What OpenSSH itself makes of it, without this user's own configuration.
    asked = [command[0], "-G", "-F", "/dev/null", *command[1:]]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20)
    found = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert (found["hostname"], found["user"], found["port"]) == ("raspberrypi.local", "pi", "2222")
    assert found["stricthostkeychecking"] in ("ask", "true", "yes")
    assert found["batchmode"] == "yes"
    assert found["requesttty"] == "false"


def test_what_is_the_users_to_configure_is_left_to_it(ssh):
    command = ssh_command(Remote("board"), ["python3"])
    assert not {"-p", "-l", "-i", "-F"} & set(command)


def test_no_host_is_an_option(ssh):
    """Not even one that `find_place` would have refused."""
    command = ssh_command(Remote("-oProxyCommand=touch x"), ["python3", "-c", "1; 2"])
    assert command[-3:] == ["--", "-oProxyCommand=touch x", "exec python3 -c '1; 2'"]
    done = subprocess.run(
        [command[0], "-F", "/dev/null", *command[1:]], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 255
    assert "hostname contains invalid characters" in done.stderr


def test_no_ssh(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingToolError, match="openssh-client"):
        ssh_command(PI, ["python3"])
