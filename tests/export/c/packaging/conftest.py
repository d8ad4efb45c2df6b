"""Folders of packaged controllers, and the tools that build them."""

import functools
import shutil
import subprocess

import pytest

from ltc_edge.export.c.packaging import package_files


def need(*commands):
    """Skip where one of these tools is not installed."""
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed")


def run(*command, cwd, **options):
    """Run a command that must succeed; its standard output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout


@pytest.fixture(scope="session")
def packaged(lab, tmp_path_factory):
    """Makes the folder of a controller, once for each case and name."""

    @functools.cache
    def make(case="ltc", name="balance"):
        kind = case if isinstance(case, str) else case[0]
        folder = tmp_path_factory.mktemp("packaged") / name
        for path, content in package_files(lab.c_sources(case, name), lab.controller(kind)).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder

    return make


@pytest.fixture(scope="session")
def tools():
    """How tests here run programs: ``need`` them, and ``run`` them."""

    class Tools:
        pass

    Tools.need, Tools.run = staticmethod(need), staticmethod(run)
    return Tools
