"""What takes long to make, made once for all test modules and all workers of a session.

A plan of 16 bits takes seconds, and many modules test with the plans of the same controllers. Between
processes they go as pickles, through a folder that only this session knows and that goes with it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

FOLDER = "LTC_EDGE_TESTS_MADE"
"""Environment variable of the session's folder, for its workers and what they start."""

Arguments, Made = ParamSpec("Arguments"), TypeVar("Made")


def made_once(function: Callable[Arguments, Made]) -> Callable[Arguments, Made]:
    """`functools.cache` for a function of strings and numbers, whose results nobody changes."""

    @functools.cache
    @functools.wraps(function)
    def made(*arguments: Arguments.args, **named: Arguments.kwargs) -> Made:
        if FOLDER not in os.environ:
            return function(*arguments, **named)
        what = (function.__code__.co_filename, function.__qualname__, arguments, sorted(named.items()))
        place = Path(os.environ[FOLDER], hashlib.sha256(repr(what).encode()).hexdigest())
        if place.exists():
            found: Made = pickle.loads(place.read_bytes())
            return found
        result = function(*arguments, **named)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            pickle.dump(result, file)
        Path(file.name).replace(place)
        return result

    return made
