"""Step logs: every step of a supervised controller in an MCAP file, such that it can be replayed to the bit."""
