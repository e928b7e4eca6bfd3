"""Hypothesis strategies shared by the laws."""
