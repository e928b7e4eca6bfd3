"""Access packages: what all services hold of one person, read from the topics by their own keys."""
