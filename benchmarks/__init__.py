"""The online benchmark: runs on simulated and wall clocks, scoring, data sets, reports, timing scripts and studies."""
