"""How far a closed loop at rest is from instability."""
