"""A bundle's controller in real time on this machine, with what brings readings and takes actions."""
