"""Distribution: every read interface of the registry, and the projections that feed them."""
