"""By how much an action can change where an observation does: bounds from above and from below."""
