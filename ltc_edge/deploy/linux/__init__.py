"""Deployments on machines with Linux, over ssh: versioned, checked, switched at once, and taken back."""
