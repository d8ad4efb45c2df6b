"""Running a bundle's controller on this machine, in real time, with what brings readings and takes actions."""
