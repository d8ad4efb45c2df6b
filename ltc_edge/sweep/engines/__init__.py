"""What carries out the work of a sweep: processes on this machine, or a Ray cluster."""
