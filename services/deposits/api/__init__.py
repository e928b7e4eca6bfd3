"""The interfaces of deposits: Crossref's two, and a JSON view of the same submissions."""

from services.deposits.api.site import site

__all__ = ["site"]
