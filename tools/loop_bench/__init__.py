"""Parts of bench_loop.py."""
