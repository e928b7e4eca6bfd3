"""Accounts: organisations, their prefixes and reference preferences, credentials, Plus agreements.

It promises that a preference it acknowledged is durable and on its way to every reader, that each
choice can be shown with its date and actor, and that no choice exists for a single work, title or
service. It never keeps a password or token, and never asks another service.
"""
