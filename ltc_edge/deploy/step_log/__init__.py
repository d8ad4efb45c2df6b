"""Step logs: every step of a supervised controller in an MCAP file, to be replayed to the bit."""
