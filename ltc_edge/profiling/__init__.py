"""What a step costs on a device: targets, measurements, budgets, and what they come to."""
