"""What retention keeps: the key documents, and in its own database everything that it decides."""

from services.retention.store.keys import open_keys
from services.retention.store.layout import keeping, prepare, sources
from shared.privacy.rings import SOURCE

__all__ = ["SOURCE", "keeping", "open_keys", "prepare", "sources"]
