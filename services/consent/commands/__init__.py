"""What consent can be asked to do: load, decide, save. Each verb is one function.

All take a ``Consenting``; refusals come back as values. A no is written to the suppressions before
it is written to the consent, and a yes the other way round: a crash in between denies.
"""
