"""The aggregates of accounts and their decisions: pure functions of state, command and time.

What a document keeps beyond its event (intents, versions copied from elsewhere) stands in the
``Kept...`` classes; events carry the public part alone.
"""
