"""Versions on a device: only whole ones, one after the other, and back."""

import hashlib
import json
import stat
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc_edge.deploy.linux.device.layout import DOCUMENT, Layout, Refused, faults
from ltc_edge.deploy.linux.device.locking import Lock


def test_one_after_the_other_and_back(machine):
    one, two, three = (machine.package(number=number) for number in (1, 2, 3))
    for package in (one, two, three):
        assert machine.deploy(package)["switched"]
    status = machine.status()
    assert (status["current"], status["previous"]) == (three.identity, two.identity)
    assert {version["id"] for version in status["versions"]} == {two.identity, three.identity}
    assert all(version["whole"] for version in status["versions"])
    back = machine.opened()
    assert back.rollback({}, b"")[0]["to"] == two.identity
    assert machine.status()["current"] == two.identity
    assert back.remove({}, b"")[0]["removed"]
    with pytest.raises(Refused, match="nothing is deployed as pump"):
        machine.status()


def test_the_same_version_again_is_the_same(machine):
    package = machine.package()
    machine.deploy(package)
    inode = Layout(machine.root, "pump").version(package.identity).stat().st_ino
    assert machine.deploy(package)["switched"]
    assert Layout(machine.root, "pump").version(package.identity).stat().st_ino == inode
    assert list(Layout(machine.root, "pump").incoming.iterdir()) == []


def test_there_is_nothing_to_go_back_to(machine):
    machine.deploy(machine.package())
    with pytest.raises(Refused, match="no earlier version"):
        machine.opened().rollback({}, b"")


def test_a_failing_selftest_changes_nothing(machine):
    machine.deploy(machine.package())
    before = machine.status()
    bad = machine.package(b"#!/bin/sh\necho golden bits differ >&2\nexit 1\n")
    deployment = machine.opened()
    machine.upload(deployment, bad)
    tested, _ = deployment.selftest({"id": bad.identity}, b"")
    assert tested == {"passed": False, "detail": "it ended with code 1: golden bits differ"}
    assert machine.status() == before


def test_modes_do_not_depend_on_the_file_that_was_sent(machine, umask):
    package = machine.package()
    machine.deploy(package)
    folder = Layout(machine.root, "pump").version(package.identity)
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()}
    assert modes == {"loop": 0o755, "manifest.json": 0o644, DOCUMENT: 0o644}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 101, "a\nb", "-x"])
def test_a_file_cannot_be_sent_elsewhere(machine, name):
    deployment = machine.opened()
    with pytest.raises(Refused, match="is no name of a file"):
        deployment.file({"name": name, "sha256": "", "executable": False}, b"")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "A", "x" * 49, "a b", "-x"])
def test_a_name_cannot_lead_elsewhere(tmp_path, name):
    with pytest.raises(Refused, match="is no name"):
        Layout(str(tmp_path), name)


def test_what_did_not_arrive_whole_is_refused(machine):
    package = machine.package()
    for changed in ({"loop": b"#!/bin/sh\nrm -rf /\n"}, {"more": b"x"}, {DOCUMENT: b"{}"}):
        deployment = machine.opened()
        machine.upload(deployment, package, changed)
        for ask in (deployment.selftest, deployment.keep):
            with pytest.raises(Refused, match="the upload is not whole"):
                ask({"id": package.identity}, b"")
        deployment._lock.release()
    with pytest.raises(Refused, match="nothing was uploaded"):
        machine.opened().keep({"id": package.identity}, b"")


def test_a_digest_that_is_not_that_of_the_block(machine):
    with pytest.raises(Refused, match="did not arrive as it was sent"):
        machine.opened().file({"name": "loop", "sha256": "0" * 64, "executable": True}, b"x")


def test_two_deployments_do_not_meet(machine):
    first = machine.opened()
    with pytest.raises(Refused, match="another deployment is at work"):
        machine.opened()
    waiting = threading.Thread(
        target=lambda: Lock(Layout(machine.root, "pump").folder / "lock", 30.0).release()
    )
    waiting.start()
    first._lock.release()
    waiting.join(30)
    assert not waiting.is_alive()


def test_looking_needs_no_lock_and_changes_nothing(machine):
    machine.deploy(machine.package())
    machine.opened()
    look = machine.opened(change=False)
    assert look.status({}, b"")[0]["current"]
    for ask in (look.rollback, look.remove):
        with pytest.raises(Refused, match="to be looked at alone"):
            ask({}, b"")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_change_of_a_version_is_seen(machine, data):
    package = machine.package()
    layout = Layout(machine.root, "pump")
    if layout.linked(layout.current) is None:
        machine.deploy(package)
    folder = layout.version(package.identity)
    path = folder / data.draw(st.sampled_from(sorted(package.sent())))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(
        content[:place] + bytes([content[place] ^ (1 << data.draw(st.integers(0, 7)))]) + content[place + 1 :]
    )
    assert faults(folder, package.identity)
    path.unlink()
    assert faults(folder, package.identity)
    path.symlink_to("/etc/hostname")
    assert faults(folder, package.identity)
    path.unlink()
    path.write_bytes(content)
    assert faults(folder, package.identity) == []


def test_a_broken_version_is_told_and_replaced(machine):
    package = machine.package()
    machine.deploy(package)
    folder = Layout(machine.root, "pump").version(package.identity)
    (folder / "loop").write_bytes(b"rotten")
    (version,) = machine.status()["versions"]
    assert (version["whole"], version["faults"]) == (False, ["loop was changed"])
    deployment = machine.opened()
    with pytest.raises(Refused, match=r"is not whole: loop was changed; deploy it again"):
        deployment.switch({"id": package.identity}, b"")
    deployment._lock.release()
    machine.deploy(package)
    assert machine.status()["versions"][0]["whole"]


def test_a_root_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match=r"file.*cannot be made there \(Not a directory\); name another"):
        Layout(str(tmp_path / "file" / "root"), "pump").create()


def test_a_document_with_names_that_lead_elsewhere(tmp_path):
    document = json.dumps({"files": {"../../etc/passwd": {"sha256": ""}}}).encode()
    (tmp_path / DOCUMENT).write_bytes(document)
    identity = hashlib.sha256(document).hexdigest()[:16]
    assert faults(tmp_path, identity) == ["'../../etc/passwd' is no name of a file"]
