"""Requests of people: what may be done with one, in which order, and by when. Pure."""
