"""What a deployment does on the device; it is sent there with the agent, and needs Python 3.9 alone."""
