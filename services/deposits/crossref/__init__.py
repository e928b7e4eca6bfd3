"""Crossref deposit XML in: pure reading, mapping and diagnostics; no I/O, no clock.

A deposit is read twice. `reader.Checker` goes first, in bounded memory and without mapping: the
file is well-formed, free of DOCTYPEs, of a supported schema and (where a folder of schemas is
named) valid; otherwise nothing of it may be processed, exactly as in the real system.
`reader.DepositReader` goes second and yields the head and one record after the other.
Small files may be read in one go with `reader.read_deposit`, which returns only if all is well.
"""
