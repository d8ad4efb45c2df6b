"""The agent: a real process at the other end of a pipe, and how it ends."""

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ltc_edge.errors import DeviceError, MissingToolError
from ltc_edge.profiling.agent.inventory import compiler
from ltc_edge.profiling.agent.session import RequestError, Session
from ltc_edge.profiling.agent_link import AgentLink, RemoteError, agent_package
from ltc_edge.profiling.places import Local
from ltc_edge.runtimes.c_compiler import find_compiler

# A program that speaks as the harness does: it is there, says a number, or waits for ever.
SCRIPT = b"""#!/bin/sh
echo "ok 0 entered_ns=1 loaded_ns=2 first_ns=3"
while read line; do
    case "$line" in
        actions*) printf 'ok 4 \\nabcd' ;;
        paced*) sleep 1000 ;;
        singles*) kill -KILL $$ ;;
        batches*) echo gone >&2; exit 3 ;;
        *) echo "no such request" ;;
    esac
done
"""
SILENT = b"#!/bin/sh\nexec sleep 1000\n"
DEADLINE_S = 20.0


def wait_until(true):
    """Wait for what another process does; no test passes because of a time."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def processes_in(folder):
    """Processes whose current folder or command is in ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def send(link, name, content, digest=None):
    sha256 = digest or hashlib.sha256(content).hexdigest()
    return link.request({"request": "file", "name": name, "sha256": sha256}, content)


def start(link, content=SCRIPT, name="c"):
    send(link, f"{name}/program", content)
    send(link, f"{name}/feed.bin", b"1")
    files = [f"{name}/program", f"{name}/feed.bin"]
    request = {"request": "start", "name": name, "program": files[0], "feed": files[1], "files": files}
    return link.request(request)


def ask(link, do, name="c", **said):
    return link.request({"request": "ask", "name": name, "ask": {"do": do, **said}})


@pytest.fixture
def link(tmp_path):
    with AgentLink(Local(), folder=str(tmp_path)) as made:
        yield made
    assert list(tmp_path.iterdir()) == []
    assert processes_in(tmp_path) == []


def the_folder(tmp_path):
    (folder,) = tmp_path.iterdir()
    return folder


def test_a_folder_of_its_own_that_nobody_else_reads(link, tmp_path):
    folder = the_folder(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found, _ = link.request({"request": "inventory", "paths": []})
    assert found["folder"] == str(folder)
    assert found["system"] == "Linux"


def test_programs_run_and_answer(link):
    times, _ = start(link)
    assert times["first_ns"] == 3
    assert times["spawned_ns"] > 0
    document, block = ask(link, "actions", steps=1)
    assert block == b"abcd"
    assert document["rss_bytes"] > 0


def test_a_file_that_did_not_arrive_as_it_was_sent(link, tmp_path):
    with pytest.raises(RemoteError, match="program did not arrive as it was sent"):
        send(link, "c/program", b"evil", hashlib.sha256(b"good").hexdigest())
    assert not (the_folder(tmp_path) / "c").exists()


def test_a_file_that_was_changed_on_the_device_is_not_run(link, tmp_path):
    send(link, "c/program", SCRIPT)
    send(link, "c/feed.bin", b"1")
    (the_folder(tmp_path) / "c" / "program").write_bytes(SCRIPT + b"touch evil\n")
    files = ["c/program", "c/feed.bin"]
    request = {"request": "start", "name": "c", "program": files[0], "feed": files[1]}
    for named in (files, []):  # whether it is listed or not
        with pytest.raises(RemoteError, match="c/program: was changed on the device; it is not run"):
            link.request({**request, "files": named})
    assert not (the_folder(tmp_path) / "c" / "evil").exists()


def test_a_file_that_was_never_sent_is_not_run(link, tmp_path):
    folder = the_folder(tmp_path)
    (folder / "planted").write_bytes(SCRIPT)
    for program in ("planted", "missing"):
        with pytest.raises(RemoteError, match=f"{program}: (was changed|cannot be read)"):
            link.request({"request": "start", "name": "c", "program": program, "feed": program, "files": []})


def test_names_that_lead_elsewhere(link):
    for name in ("../x", "a/../../x", "a/..", "..", "/etc/x", "a/b/c", "", ".", "a//b", "a/", "a\0b"):
        with pytest.raises(RemoteError, match="is no name of a file here"):
            send(link, name, b"x")


def test_requests_that_make_no_sense_are_answered(link):
    for request in (
        {"request": "reboot"},
        {},
        {"request": None},
        {"request": "file"},
        {"request": "ask", "name": "nothing", "ask": {"do": "actions"}},
        {"request": "start", "name": "c", "files": ["a"]},
        {"request": "build", "sources": [], "command": 1, "flags": [], "output": "x"},
    ):
        with pytest.raises(RemoteError) as caught:
            link.request(request)
        assert caught.value.kind == "request"
        assert "\n" not in str(caught.value)
    link.request({"request": "stop", "name": "nothing"})


def test_a_program_that_dies_is_one_line(link):
    start(link)
    with pytest.raises(RemoteError) as caught:
        ask(link, "singles", steps=1, limit_ns=1, empty=False)
    assert (caught.value.kind, str(caught.value)) == ("failed", "it was ended by SIGKILL")
    with pytest.raises(RemoteError, match="it was ended by SIGKILL"):
        ask(link, "actions", steps=1)


def test_a_program_that_gives_up_says_its_last_line(link):
    start(link)
    with pytest.raises(RemoteError, match=r"it ended with code 3: gone$") as caught:
        ask(link, "batches", count=1, steps=1)
    assert caught.value.kind == "failed"


def test_programs_that_do_not_start_as_they_should(link):
    for content in (b"#!/bin/sh\necho hello\n", b"#!/bin/sh\nexit 1\n", b"#!/no/such\n", b"garbage"):
        with pytest.raises(RemoteError) as caught:
            start(link, content)
        assert caught.value.kind in ("failed", "refused")
        assert len(str(caught.value).splitlines()) == 1
        with pytest.raises(RemoteError, match="nothing runs by the name 'c'"):
            ask(link, "actions", steps=1)
    start(link)


def test_compilers_that_are_none(link):
    send(link, "c/a.c", b"int main(void) { return 0 }")
    request = {"request": "build", "sources": ["c/a.c"], "flags": [], "output": "c/a"}
    with pytest.raises(RemoteError, match=r"no-such-cc failed: .*No such file"):
        link.request({**request, "command": ["no-such-cc"]})
    with pytest.raises(RemoteError, match=r"cc failed: .*expected") as caught:
        link.request({**request, "command": ["cc"]})
    assert caught.value.kind == "failed"


def agents(link):
    return link._process.pid


def test_an_agent_that_is_killed(tmp_path):
    with AgentLink(Local(), folder=str(tmp_path)) as link:
        start(link)
        os.kill(agents(link), signal.SIGKILL)
        with pytest.raises(DeviceError) as caught:
            ask(link, "actions", steps=1)
        assert str(caught.value) == "local: the agent ended with code -9"
    # Nobody could remove its folder; what it started sees that nobody asks any more.
    wait_until(lambda: not processes_in(tmp_path))


@pytest.mark.parametrize("what", ["SIGTERM", "SIGHUP", "SIGINT", "stdin"])
@pytest.mark.parametrize("content", [SCRIPT, SILENT], ids=["asked", "starting"])
def test_an_agent_that_must_end_in_the_middle_of_something(tmp_path, what, content):
    with AgentLink(Local(), folder=str(tmp_path)) as link:
        failure = []

        def in_the_middle():
            try:
                start(link, content)
                ask(link, "paced", period_ns=1, periods=1)
            except DeviceError as error:
                failure.append(str(error))

        asking = threading.Thread(target=in_the_middle)
        asking.start()
        wait_until(lambda: b"sleep" in b"".join(map(command_line, processes_in(tmp_path))))
        if what == "stdin":
            link._process.stdin.close()
        else:
            os.kill(agents(link), signal.Signals[what])
        asking.join(DEADLINE_S)
        assert not asking.is_alive()
        (line,) = failure
        assert len(line.splitlines()) == 1
        link._process.wait(DEADLINE_S)
        assert list(tmp_path.iterdir()) == []
        assert processes_in(tmp_path) == []
        # No abort of the interpreter's, which a device would keep a core of.
        assert link._process.returncode == 0


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_load_ends_with_the_session(tmp_path):
    with AgentLink(Local(), folder=str(tmp_path)) as link:
        found, _ = link.request({"request": "busy", "on": True})
        assert found["load"]
        started = children(agents(link))
        assert started
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)


def children(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo hello", "the agent ended with code 0"),
        ("echo 'Segmentation fault' >&2; exit 139", r"the agent ended with code 139 \(Segmentation fault\)"),
        ("yes | head -c 100000; cat > /dev/null", "it prints, but no agent starts"),
        ("echo 'ltc-edge agent'; yes; cat > /dev/null", "what comes from there is no answer of the agent's"),
        ("echo 'ltc-edge agent: /tmp: No space left on device'", "cannot work there: /tmp: No space left"),
    ],
)
def test_what_is_no_agent(tmp_path, script, said):
    shell = tmp_path / "python"
    shell.write_text(f"#!/bin/sh\n{script}\n")
    shell.chmod(0o700)
    with pytest.raises(DeviceError, match=said) as caught, AgentLink(Local(), python=str(shell)) as link:
        link.request({"request": "inventory", "paths": []})
    assert len(str(caught.value).splitlines()) == 1


def test_an_interpreter_that_is_not_there():
    with pytest.raises(DeviceError, match="local: no-such-python cannot be started"):
        AgentLink(Local(), python="no-such-python")


def test_a_folder_that_cannot_be_written():
    with pytest.raises(DeviceError, match="the agent cannot work there: /proc/none/ltc-edge-"):
        AgentLink(Local(), folder="/proc/none")


def test_noise_of_a_login_shell_is_no_greeting(tmp_path):
    shell = tmp_path / "python"
    shell.write_text(f'#!/bin/sh\necho "Welcome to Debian"\nexec {sys.executable} "$@"\n')
    shell.chmod(0o700)
    with AgentLink(Local(), python=str(shell)) as link:
        link.request({"request": "inventory", "paths": []})


def test_an_agent_that_did_not_arrive_is_not_run(tmp_path, monkeypatch):
    package = agent_package()
    monkeypatch.setattr("ltc_edge.profiling.agent_link.hashlib.sha256", lambda _: hashlib.sha1(package))
    with pytest.raises(DeviceError, match="the agent did not arrive as it was sent"):
        AgentLink(Local(), folder=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_package_is_the_same_bytes_and_needs_nothing_of_ours(tmp_path):
    assert agent_package() == agent_package()
    (tmp_path / "agent.zip").write_bytes(agent_package())
    code = (
        "import sys; sys.path.insert(0, 'agent.zip'); import ltc_edge_agent.session, ltc_edge_agent.worker; "
    )
    code += "print([name for name in sys.modules if name.split('.')[0] in ('ltc_edge', 'numpy')])"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_session_that_is_over_starts_nothing(tmp_path):
    folder = tmp_path / "session"
    folder.mkdir()
    session = Session(folder, tmp_path / "agent.zip")
    for name, content in (("c/program", SCRIPT), ("c/feed.bin", b"1")):
        request = {"request": "file", "name": name, "sha256": hashlib.sha256(content).hexdigest()}
        session.carry_out(request, content)
    session.close()
    session.close()
    assert not folder.exists()
    files = {"program": "c/program", "feed": "c/feed.bin", "files": []}
    with pytest.raises(RequestError, match="cannot be read"):
        session.carry_out({"request": "start", "name": "c", **files}, b"")


def test_a_process_that_gives_no_answer_is_ended_and_the_session_goes_on(link):
    start(link)
    paced = {"do": "paced", "period_ns": 1, "periods": 1}
    with pytest.raises(RemoteError, match=r"no answer came within 0\.5 s") as caught:
        link.request({"request": "ask", "name": "c", "within_s": 0.5, "ask": paced})
    assert caught.value.kind == "failed"
    assert start(link)[0]["first_ns"] == 3


def test_what_a_device_says_stays_on_one_line_and_moves_no_cursor(link):
    with pytest.raises(RemoteError) as caught:
        link.request({"request": "no\nsuch\x1b[2J"})
    assert str(caught.value).isprintable()


def test_a_compiler_that_is_named_in_half_a_quote_is_none(monkeypatch):
    monkeypatch.setenv("CC", '"cc')
    assert compiler() is None
    with pytest.raises(MissingToolError, match="a quote that does not end"):
        find_compiler()


def test_a_device_that_gave_no_answer_is_not_waited_for_again(link):
    start(link)
    late = {
        "request": "ask",
        "name": "c",
        "within_s": 0.5,
        "ask": {"do": "paced", "period_ns": 1, "periods": 1},
    }
    for request, timeout_s in ((late, 0.1), ({"request": "device"}, 60.0)):
        with pytest.raises(DeviceError, match="no answer; the device is gone"):
            link.request(request, timeout_s=timeout_s)
