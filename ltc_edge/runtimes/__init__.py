"""What executes a controller: one protocol, `ltc_edge.runtimes.stepper.Stepper`, over many runtimes."""
