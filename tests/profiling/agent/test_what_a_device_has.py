"""The agent runs on Python 3.9 with nothing installed."""

import ast
import sys
from pathlib import Path

import pytest

import ltc_edge.profiling.agent as agent

MODULES = sorted(Path(agent.__file__).parent.glob("*.py"))
OPTIONAL = {"numpy", "onnxruntime", "ai_edge_litert", "tflite_runtime"}
"""Runtimes that the agent uses where they are; imported inside functions only."""
NAME_ON_DEVICE = "ltc_edge_agent"
"""Of the agent itself, by which the program that unpacks it there imports it."""
BUILT_IN_TYPES = {"bool", "bytes", "dict", "float", "int", "list", "set", "str", "tuple"}


def parse(path):
    return ast.parse(path.read_text(), feature_version=(3, 9))


def annotations(tree):
    """Every node inside an annotation, which `from __future__ import annotations` leaves unevaluated."""
    for node in ast.walk(tree):
        found = [getattr(node, name, None) for name in ("annotation", "returns")]
        for part in filter(None, found):
            yield from ast.walk(part)


def is_type(node):
    """Whether this is None or a built-in type by name, as in ``int | None``."""
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and node.id in BUILT_IN_TYPES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_grammar_is_that_of_python_3_9(path):
    tree = parse(path)
    later = set(map(id, annotations(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and id(node) not in later:
            assert not any(map(is_type, (node.left, node.right))), f"{path.name}:{node.lineno}: X | Y"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip":
            assert not node.keywords, f"{path.name}:{node.lineno}: zip has no strict"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_imports_the_standard_library_and_itself(path):
    tree = parse(path)
    allowed = set(sys.stdlib_module_names) - {"tomllib"} | {NAME_ON_DEVICE}
    at_top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level > 0:
            assert node.level == 1, f"{path.name}:{node.lineno}: imports from outside of the agent"
            assert node.module is None or (Path(agent.__file__).parent / f"{node.module}.py").exists()
            continue
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            package = name.split(".")[0]
            optional = package in OPTIONAL and id(node) not in at_top
            assert package in allowed or optional, f"{path.name}:{node.lineno}: imports {name}"


def test_the_checks_find_what_they_are_for():
    with pytest.raises(SyntaxError):
        ast.parse("match x:\n    case 1: pass", feature_version=(3, 9))
    tree = ast.parse("def f(x: int | None) -> str | None: pass")
    assert {type(node) for node in annotations(tree)} >= {ast.BinOp, ast.Constant}
