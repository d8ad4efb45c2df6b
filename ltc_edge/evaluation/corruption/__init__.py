"""A versioned pack of corruptions for controllers in closed loop, and what they do to one."""
