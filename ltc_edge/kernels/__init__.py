"""The fused training kernels: C for whole sequences of liquid cells, and what builds, finds and calls it."""
