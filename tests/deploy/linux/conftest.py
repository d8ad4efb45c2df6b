"""A device that is this machine: a folder, and versions whose program is a shell script."""

import hashlib
import os
import subprocess

import pytest

from ltc_edge.deploy.linux.device.requests import Deployment
from ltc_edge.deploy.linux.package import make_package

PROGRAM = "loop"


class Machine:
    """What a deployment asks of a device, without a connection."""

    def __init__(self, root):
        self.root = str(root)
        self.patience = {"ready_s": 5.0, "watch_s": 0.0}

    def opened(self, *, change=True, lock_s=0.0):
        """A deployment of the name ``pump``, opened."""
        deployment = Deployment()
        said = {"root": self.root, "name": "pump", "change": change, "lock_s": lock_s}
        deployment.open({**said, **self.patience}, b"")
        return deployment

    def package(self, program=b"#!/bin/sh\nexit 0\n", service="none", arguments=(), **about):
        """A version with this program, which is its own selftest too."""
        files = {PROGRAM: program, "manifest.json": b"{}\n"}
        words = [PROGRAM, *arguments]
        return make_package(
            files, name="pump", service=service, arguments=words, selftest=[PROGRAM, "test"], about=about
        )

    def upload(self, deployment, package, changed=None):
        """Send it; ``changed`` are files in the place of its own."""
        for name, content in (package.sent() | (changed or {})).items():
            said = {
                "name": name,
                "sha256": hashlib.sha256(content).hexdigest(),
                "executable": name == PROGRAM,
            }
            deployment.file(said, content)

    def deploy(self, package):
        """All of it; what came of the switch."""
        deployment = self.opened()
        try:
            self.upload(deployment, package)
            assert deployment.selftest({"id": package.identity}, b"")[0]["passed"]
            deployment.keep({"id": package.identity}, b"")
            done, _ = deployment.switch({"id": package.identity}, b"")
            deployment.prune({"keep": 2}, b"")
            return done
        finally:
            deployment._lock.release()

    def status(self):
        """How it stands."""
        return self.opened(change=False).status({}, b"")[0]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "root")


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


LOOP = r"""
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* "test" tests itself, "early" ends at once, "mute" is never ready, "soon" ends when it is. */
int main(int count, char **words)
{
    const char *const what = (count > 1) ? words[1] : "";
    if (strcmp(what, "test") == 0) {
        return 0;
    }
    if (strcmp(what, "early") == 0) {
        (void)!write(2, "no such port\n", 13);
        return 3;
    }
    if (strcmp(what, "mute") != 0) {
        struct sockaddr_un manager = { .sun_family = AF_UNIX };
        strncpy(manager.sun_path, getenv("NOTIFY_SOCKET"), sizeof(manager.sun_path) - 1);
        const int handle = socket(AF_UNIX, SOCK_DGRAM, 0);
        (void)sendto(handle, "READY=1", 7, 0, (struct sockaddr *)&manager, sizeof(manager));
    }
    if (strcmp(what, "soon") == 0) {
        return 4;
    }
    for (;;) {
        (void)pause();
    }
}
"""


@pytest.fixture(scope="session")
def loop(tmp_path_factory):
    """A program that a service can start."""
    folder = tmp_path_factory.mktemp("loop")
    (folder / "loop.c").write_text(LOOP)
    subprocess.run(["cc", "-D_GNU_SOURCE", "-o", folder / "loop", folder / "loop.c"], check=True)
    return (folder / "loop").read_bytes()
