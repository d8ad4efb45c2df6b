"""Parts of bench_sweep.py and simulate_sweep.py."""
