"""OAI-PMH 2.0: harvesting by date, by set and by format (docs/interfaces/oai.md).

It lists from the search projection, shows from the store, and asks the gate of every record at the
moment it is given. It keeps nothing: a list under way is a signed token in the harvester's hands.
"""

from services.distribution.oai.api import open_outlet

__all__ = ["open_outlet"]
