"""Whole sequences of an LTC on a GPU: one launch forwards and one backwards, in Triton."""
