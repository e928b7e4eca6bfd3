"""The services: each owns its data and meets the others in topics only."""
