"""Profiling many devices at once, and what their figures say of each other."""
