"""Solver sub-steps that differ in names alone become one function that is called for each.

A function has no constants of its own: weights and tensors alike are its inputs, so sub-steps may even
differ in a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import onnx
from onnx import helper

from ltc_edge.export.onnx_integer.writer import Node

DOMAIN, DOMAIN_VERSION = "ltc_int", 1
_SUBSTEP = re.compile(r"(?:.*\.)?unfold_\d+")


@dataclass(frozen=True, eq=False)
class _Block:
    """The nodes of one sub-step, and the names that it reads and makes, in order of appearance."""

    stage: str
    nodes: list[onnx.NodeProto]
    read: list[str]
    made: list[str]

    def shape(self) -> tuple[object, ...]:
        """What two blocks have in common that differ in names alone."""
        read = {name: f"<{index}" for index, name in enumerate(self.read)}
        codes = read | {name: f">{index}" for index, name in enumerate(self.made)}
        return tuple(
            (
                node.op_type,
                node.domain,
                tuple(a.SerializeToString(deterministic=True) for a in node.attribute),
                tuple(codes[name] for name in node.input),
                tuple(codes[name] for name in node.output),
            )
            for node in self.nodes
        )


def fold_substeps(
    nodes: list[Node], kept: Iterable[str], opset: int
) -> tuple[list[onnx.NodeProto], list[onnx.FunctionProto]]:
    """Replace repeated sub-steps by calls.

    Args:
        nodes: the nodes of the step, in order.
        kept: tensors that the graph itself gives out.
        opset: version of the standard operators.

    Returns:
        The nodes with calls, and the function called; nothing changes where sub-steps differ.
    """
    groups = [(stage, [n.proto for n in part]) for stage, part in groupby(nodes, lambda n: substep(n.stage))]
    blocks = [_block(stage, part) for stage, part in groups if stage]
    flat = [node.proto for node in nodes]
    unique = len({block.stage for block in blocks}) == len(blocks)
    if len(blocks) < 2 or not unique or len({block.shape() for block in blocks}) > 1:
        return flat, []
    handed = _handed_on(blocks, flat, set(kept))
    function = _function(blocks[0], handed, opset)
    calls = {
        block.stage: helper.make_node(
            function.name, block.read, [block.made[i] for i in handed], block.stage, domain=DOMAIN
        )
        for block in blocks
    }
    folded = [node for stage, part in groups for node in ([calls[stage]] if stage else part)]
    return folded, [function]


def substep(stage: str) -> str:
    """The part of a stage's name that names its solver sub-step, or nothing."""
    match = _SUBSTEP.match(stage)
    return match.group() if match else ""


def _block(stage: str, nodes: list[onnx.NodeProto]) -> _Block:
    made = [name for node in nodes for name in node.output]
    inner = set(made)
    read = dict.fromkeys(name for node in nodes for name in node.input if name not in inner)
    return _Block(stage, nodes, list(read), made)


def _handed_on(blocks: list[_Block], flat: list[onnx.NodeProto], kept: set[str]) -> list[int]:
    """Which of the names a block makes are read outside it, in any of the blocks."""
    handed: set[int] = set()
    for block in blocks:
        own = {id(node) for node in block.nodes}
        outside = kept | {name for node in flat if id(node) not in own for name in node.input}
        handed |= {index for index, name in enumerate(block.made) if name in outside}
    return sorted(handed)


def _function(block: _Block, handed: list[int], opset: int) -> onnx.FunctionProto:
    prefix = f"{block.stage}."
    inner = {name: name.removeprefix(prefix) for name in block.made if name.startswith(prefix)}
    taken = set(inner.values())
    local = dict(inner)
    for name in (*block.read, *block.made):
        short = name.rpartition(".")[2]
        while name not in local and short in taken:
            short = f"{short}_in"
        taken.add(local.setdefault(name, short))
    body = []
    for node in block.nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [local[name] for name in node.input]
        copy.output[:] = [local[name] for name in node.output]
        body.append(copy)
    imports = [helper.make_opsetid("", opset)]
    if any(node.domain == DOMAIN for node in body):
        imports.append(helper.make_opsetid(DOMAIN, DOMAIN_VERSION))
    return helper.make_function(
        DOMAIN,
        "SubStep",
        [local[name] for name in block.read],
        [local[block.made[index]] for index in handed],
        body,
        imports,
        doc_string="one sub-step of the cell's solver",
    )
