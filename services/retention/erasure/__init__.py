"""Carrying an erasure out, step by step, until its certificate."""
