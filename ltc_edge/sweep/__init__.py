"""Search for the smallest controller that does the job: trials on one machine or many, their Pareto front."""
