"""What a controller is made of and what each part of it does: wiring, activity, drives, cuts, pruning."""
