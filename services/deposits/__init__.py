"""Deposits: takes submissions of Crossref XML and keeps the works they register.

It owns submissions and works (with all their references). It promises that an accepted submission
survives any crash, that each of its records ends with exactly one diagnostic, and that a record
processed again repeats its first verdict (law L1). A depositor that asked for it is called back, at
least once, when its submission has ended. It never answers 2xx before the sealed file and
its submission are durable, never stores a byte of a deposit file in clear, and never shows a
submission to another login. Of each journal it knows the one account that owns it, and it tells
when none hangs on an account that is to go.
"""
