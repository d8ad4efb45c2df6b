"""What the notes promise of liquid cells, measured: the parts of ``tools/bench_notes.py``."""
