"""A synthetic plant and networks in which what drives the action is known."""
