"""What is sent to a device and measures there: the standard library alone, Python 3.9 or newer."""
