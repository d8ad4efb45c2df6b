"""Parts of `bench_profile.py`, each of which measures one of the figures that profiles are to reach."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # a thread of its own, which would be timed too
