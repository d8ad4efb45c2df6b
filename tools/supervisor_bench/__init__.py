"""What is held against the supervisor: all its states, proofs, and campaigns of faults."""
