"""The report: a bundle, and what was measured of it, as one page of HTML that needs nothing else."""
