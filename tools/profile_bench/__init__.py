"""Parts of `bench_profile.py`, each of which measures one of the figures that profiles are to reach."""
