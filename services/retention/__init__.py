"""Retention: the states of the keys that personal data is encrypted under.

It alone fences and destroys keys, and tells everybody on retention.keys.v1; services make keys and
use them. It promises that a destroyed key never comes back, that none is destroyed while a hold
stands or before everybody had to drop it, and that it never sees what the keys protect.
"""
