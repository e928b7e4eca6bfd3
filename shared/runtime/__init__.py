"""What every process needs from its machine: time, ids, settings, a log, metrics, a lifecycle.

Clock, ids and randomness are taken from here and nowhere else, so that pure code stays pure and a
test can say what time it is.
"""
