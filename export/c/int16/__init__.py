"""Controllers in C99 that compute with 16-bit codes and 32-bit sums alone."""
