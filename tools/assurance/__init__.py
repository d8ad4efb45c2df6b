"""Assurance of the generated C and its runtime: a module a method, which returns its findings."""
