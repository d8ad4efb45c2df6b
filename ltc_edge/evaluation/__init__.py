"""Evaluation: closed loops, recordings, statistics and pictures."""
