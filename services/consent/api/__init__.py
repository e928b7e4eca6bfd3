"""The HTTP interface of consent: parse, call, render. No decision is taken here."""

from services.consent.api.site import site

__all__ = ["site"]
