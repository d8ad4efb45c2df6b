"""How far back a controller's state still answers to its inputs, and how far back its data ask for it."""
