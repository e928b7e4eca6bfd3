"""Who asks in tests of what is read: logins and tokens as accounts issues them, and headers."""

from datetime import timedelta
from functools import cache
from typing import Final

import aiohttp

from shared.events import CredentialIssued
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import hash_password, login_key, token_key
from shared.runtime.clock import SYSTEM
from tests.events import AT
from tests.processes import Place

PASSWORD: Final = "correct horse"
SUBSCRIBER: Final = 500


def login(place: Place, name: str, organisation: int) -> CredentialIssued:
    """Issue a depositor's login, known by its name to the services of a place."""
    return CredentialIssued(
        credential=login_key(load_or_create(place.folder / "login.key"), name),
        organisation=organisation,
        scopes=("deposit",),
        password_hash=_hashed(),
        version=1,
    )


def token(text: str, lasting: timedelta) -> CredentialIssued:
    """Issue a Metadata Plus token that ends so long from now; a negative time is over."""
    return CredentialIssued(
        credential=token_key(text),
        organisation=SUBSCRIBER,
        scopes=("plus",),
        valid_from=AT,
        valid_until=SYSTEM.now() + lasting,
        version=1,
    )


def basic(name: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(name, PASSWORD)}


@cache
def _hashed() -> str:
    return hash_password(PASSWORD)  # slow on purpose, so once
