"""Proof that an exported file still does its controller's job: single steps, long runs, closed loops."""
