"""Bringing an exported controller onto a device, and keeping it whole there."""
