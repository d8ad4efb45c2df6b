"""Bundles: a controller in every format, verified, in one folder."""
