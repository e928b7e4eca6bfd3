"""The aggregates of consent and their decisions: pure functions of state, command and time.

What a document keeps beyond its event (texts of notices, links under way) stands in the ``Kept...``
classes; events carry the public part alone.
"""
