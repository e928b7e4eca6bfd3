"""The HTTP interface of accounts: parse, call, render. No decision is taken here."""

from services.accounts.api.site import site

__all__ = ["site"]
