"""Parts of `bench_training.py` and `bench_roofline.py`: who is compared, times, memory, energy."""
