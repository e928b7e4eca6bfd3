"""Everything that the services declare, loaded: schemas of personal data and all models."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel
from pydantic_settings import BaseSettings

import services
import shared.events
from shared.privacy import personal
from shared.privacy.personal import PersonalField

ROOTS = (services, shared.events)


@cache
def load() -> None:
    """Import every module of the services and of the events, but for what runs when imported."""
    for root in ROOTS:
        for found in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
            if not found.name.endswith(".__main__"):
                importlib.import_module(found.name)


def models() -> list[type[BaseModel]]:
    """Return every model of the services and of the events, settings aside, by their names."""
    load()
    homes = tuple(root.__name__ + "." for root in ROOTS)
    found = {
        f"{one.__module__}.{one.__qualname__}": one
        for one in _below(BaseModel)
        if one.__module__.startswith(homes) and not issubclass(one, BaseSettings)
    }
    return [found[name] for name in sorted(found)]


def declared() -> list[PersonalField]:
    """Return every field that a service declares personal, by schema."""
    load()
    names = {module.name for module in pkgutil.iter_modules(services.__path__)}
    return [one for one in personal.declared() if service_of(one.schema) in names]


def service_of(schema: str) -> str:
    """Return the service whose schema this is."""
    return schema.partition(".")[0]


def _below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
