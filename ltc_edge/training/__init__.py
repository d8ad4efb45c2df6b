"""Training: from a task or from recordings to a controller."""
