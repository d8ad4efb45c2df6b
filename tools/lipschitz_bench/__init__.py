"""Random controllers of every cell, and what must hold of their brackets."""
