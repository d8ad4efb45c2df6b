"""How large a network data ask for: effective dimension, independent windows, and a learning curve."""
