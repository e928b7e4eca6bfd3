"""Contacts of organisations, memberships, and mail to contacts, each a room of its own.

The package's own routes are those of contacts themselves: by role, and by the links they are sent.
"""

from services.accounts.api.contacts import links, seats

ROUTES = (*seats.ROUTES, *links.ROUTES)
