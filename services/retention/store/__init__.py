"""What retention keeps: the key documents, and in its own database everything that it decides."""

from services.retention.store.keys import open_keys
from services.retention.store.layout import keeping, prepare, sources
from services.retention.store.requests import RequestStore, open_requests
from shared.privacy.rings import SOURCE

__all__ = [
    "SOURCE",
    "RequestStore",
    "keeping",
    "open_keys",
    "open_requests",
    "prepare",
    "sources",
]
