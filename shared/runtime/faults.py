"""Faults, as the loops know them. A domain "no" is not among them: refusals are values.

Fault
  Transient     the same work may succeed later: retry
  Superseded    somebody newer holds this role: stop, do not retry
  Busy          we are behind: the caller should come back later
"""


class Fault(Exception):
    """Something failed that is nobody's decision."""


class Transient(Fault):
    """The same work may succeed later; the only fault that loops retry."""


class Superseded(Fault):
    """Another process took this role over; what we hold is void."""


class Busy(Fault):
    """Accepting more would not end well; say 503 and when to come back."""


class Outdated(Exception):
    """What was to be done rests on knowledge that changed meanwhile: decide anew."""
