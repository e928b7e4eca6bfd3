"""Accounts: organisations, their prefixes and preferences, credentials, agreements; and people.

It promises that a preference it acknowledged is durable and on its way to every reader, that each
choice can be shown with its date and actor, and that no choice exists for a single work, title or
service. Of people it keeps name and address encrypted, and shows them to their holder, or to staff
for a recorded reason; it deletes an account once no journal hangs on it. Applications of volunteers
it keeps apart, for the team. It never keeps a password or token, and never asks another service.
"""
