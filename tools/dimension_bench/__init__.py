"""Parts of ``tools/bench_dimension.py``."""
