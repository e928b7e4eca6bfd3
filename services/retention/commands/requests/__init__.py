"""Requests of people at work: taken in, confirmed, handled, watched, answered."""
