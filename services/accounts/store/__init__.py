"""What accounts keeps: organisations, people, contacts; the indexes, and what is published."""

from services.accounts.store.contacts import ContactStore, open_contacts
from services.accounts.store.layout import OWNED, SOURCE, prepare, sources
from services.accounts.store.people import PeopleStore, of_people, open_people
from services.accounts.store.registry import Store, choice_of, open_store

__all__ = [
    "OWNED",
    "SOURCE",
    "ContactStore",
    "PeopleStore",
    "Store",
    "choice_of",
    "of_people",
    "open_contacts",
    "open_people",
    "open_store",
    "prepare",
    "sources",
]
