"""Sweeps whose trials are made up."""

import dataclasses

import pytest
from swept_trials import HOSTILE, make_result, make_swept


@pytest.fixture(scope="session")
def swept():
    """Of forty trials."""
    return make_swept(40)


@pytest.fixture(scope="session")
def hostile(swept):
    """The same, of a task whose name would be code anywhere."""
    results = tuple(
        dataclasses.replace(result, settings=result.settings | {"cell": HOSTILE}) for result in swept.results
    )
    return dataclasses.replace(swept, task=HOSTILE, results=results)


@pytest.fixture(scope="session")
def result_of():
    """`make_result`."""
    return make_result


@pytest.fixture(scope="session")
def swept_of():
    """`make_swept`."""
    return make_swept
