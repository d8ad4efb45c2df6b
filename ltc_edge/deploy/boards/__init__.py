"""Boards: the firmware project of a bundle, built, flashed and checked over a serial line."""

from __future__ import annotations

from ltc_edge.deploy.boards.board import Board, Call
from ltc_edge.deploy.boards.description import BOARDS, find_board

__all__ = ["BOARDS", "Board", "Call", "find_board"]
