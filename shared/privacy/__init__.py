"""What keeps secrets and personal values unreadable: keys, envelopes, passwords, signatures.

Cryptography and argon2 are used here and nowhere else. Nothing in this room puts a secret, or a
value it protects, into an error, a repr or a log.
"""
