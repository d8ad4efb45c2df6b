"""Assurance of the generated C and its runtime: one module a method, each with a function that returns its findings."""
