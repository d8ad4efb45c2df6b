"""A device that trusts a key takes what that key signed, and nothing else."""

import dataclasses
import subprocess

import pytest

from ltc_edge.deploy.linux.device import signatures
from ltc_edge.deploy.linux.device.layout import SIGNATURE, Refused
from ltc_edge.deploy.linux.signing import public_key, signed
from ltc_edge.errors import InputError


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two Ed25519 keys, and one that is none."""
    folder = tmp_path_factory.mktemp("keys")
    for name, kind in (("ours", "ed25519"), ("theirs", "ed25519"), ("ecdsa", "ecdsa")):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", folder / name], check=True
        )
    return folder


@pytest.fixture
def pinned(machine, keys):
    """A device that trusts our key."""
    deployment = machine.opened()
    deployment.pin({"key": public_key(keys / "ours.pub")}, b"")
    deployment._lock.release()
    return machine


def test_what_our_key_signed_is_taken(pinned, keys):
    package = signed(pinned.package(), keys / "ours")
    assert pinned.deploy(package)["switched"]
    status = pinned.status()
    assert status["signed_by"] == public_key(keys / "ours.pub")
    assert status["versions"][0]["signed"]


def test_everything_else_is_refused(pinned, keys):
    package = pinned.package()
    ours, other = signed(package, keys / "ours"), signed(pinned.package(number=2), keys / "ours")
    wrong = [
        (package, "takes signed deployments alone"),
        (signed(package, keys / "theirs"), "is not one of this deployment by the key"),
        (dataclasses.replace(package, signature=other.signature), "is not one of this deployment"),
        (dataclasses.replace(package, signature=b"-----BEGIN SSH SIGNATURE-----\n"), "is not one of this"),
    ]
    for bad, message in wrong:
        with pytest.raises(Refused, match=message):
            pinned.deploy(bad)
        assert pinned.status()["versions"] == []
    # A signature is of the document, which has the hashes of all else.
    deployment = pinned.opened()
    pinned.upload(deployment, ours, {"loop": b"#!/bin/sh\nexit 0 # changed\n"})
    with pytest.raises(Refused, match="not whole: loop was changed"):
        deployment.keep({"id": ours.identity}, b"")


def test_a_signature_for_something_else_is_none(pinned, keys, tmp_path):
    package = pinned.package()
    document = tmp_path / "document"
    document.write_bytes(package.document)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", keys / "ours", "-n", "file", document]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(Refused, match="is not one of this deployment"):
        pinned.deploy(dataclasses.replace(package, signature=(tmp_path / "document.sig").read_bytes()))


def test_an_unsigned_version_from_before_is_not_gone_back_to(machine, keys):
    old, new = machine.package(number=1), machine.package(number=2)
    machine.deploy(old)
    machine.deploy(new)
    deployment = machine.opened()
    deployment.pin({"key": public_key(keys / "ours.pub")}, b"")
    with pytest.raises(Refused, match="takes signed deployments alone"):
        deployment.rollback({}, b"")
    deployment._lock.release()
    # The same version, signed since.
    assert machine.deploy(signed(new, keys / "ours"))["switched"]


def test_a_pin_is_not_replaced_by_another(pinned, keys):
    deployment = pinned.opened()
    deployment.pin({"key": public_key(keys / "ours.pub")}, b"")
    with pytest.raises(Refused, match="another key is pinned"):
        deployment.pin({"key": public_key(keys / "theirs.pub")}, b"")
    for text in (
        "ssh-rsa AAAA",
        "ssh-ed25519 AAAA\nltc-edge ssh-ed25519 BBBB",
        "",
        "* ssh-ed25519 " + "A" * 68,
    ):
        with pytest.raises(Refused, match="no public Ed25519 key"):
            deployment.pin({"key": text}, b"")


def test_keys_that_cannot_be_used(machine, keys, tmp_path):
    package = machine.package()
    with pytest.raises(InputError, match=r"there is no such key; make one with ssh-keygen"):
        signed(package, tmp_path / "none")
    (tmp_path / "junk").write_text("junk")
    with pytest.raises(InputError, match="cannot be signed with"):
        signed(package, tmp_path / "junk")
    for bad in (keys / "ecdsa.pub", keys / "ours", tmp_path / "junk"):
        with pytest.raises(InputError, match="is no public Ed25519 key"):
            public_key(bad)
    with pytest.raises(InputError, match="cannot be read"):
        public_key(tmp_path / "none.pub")


def test_without_ssh_keygen_nothing_is_trusted(pinned, keys, monkeypatch):
    package = signed(pinned.package(), keys / "ours")
    monkeypatch.setattr(signatures.shutil, "which", lambda _: None)
    with pytest.raises(Refused, match="ssh-keygen, which checks signatures, is not installed there"):
        pinned.deploy(package)
    assert SIGNATURE in package.sent()
