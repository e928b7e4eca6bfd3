"""Copies for tests and development: what the services keep, without anybody in it (DOAJ-4c4).

Nothing is decrypted for them. Each envelope gives way to a made-up value, each pseudonym and blind
index to another one, under a key that is thrown away with the run: the same person and the same
address have the same replacements in every service, and nobody can tell whose they were. What is
copied is listed (rows.toml) and checked against the models; an unknown collection or field stops
the run.
"""
