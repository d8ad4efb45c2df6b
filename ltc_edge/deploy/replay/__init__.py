"""Replaying step logs: the same inputs through the same code give the same bits, or say where they do not."""
