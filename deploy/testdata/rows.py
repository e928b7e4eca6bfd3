"""What is copied of each collection: as data, checked against the models."""

import importlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from deploy.local.obstacle import Obstacle

ROWS: Final = Path(__file__).with_name("rows.toml")


class Row(BaseModel):
    """One collection: the ``models`` its states follow, or the ``fields`` of its documents.

    ``without`` are fields that are left out of the copy; neither models nor fields: nothing of it
    is copied, ``because`` says why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    because: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> "Row":
        if sum(map(bool, (self.models, self.fields, self.because))) != 1:
            raise ValueError("give models, or fields, or because")
        return self

    @property
    def copied(self) -> bool:
        """Whether anything of it is."""
        return not self.because

    def taken(self, document: Mapping[str, Any], place: str) -> dict[str, Any]:
        """Return what is copied of a document, still as it was.

        Raises ``Obstacle`` naming a field that the models, or the row, do not know.
        """
        if self.models:
            return {"_id": document["_id"], "state": self._state(document, place)}
        known = {"_id", *self.fields, *self.without}
        if unknown := sorted(set(document) - known):
            raise unknown_field(place, unknown)
        return {name: document[name] for name in ("_id", *self.fields) if name in document}

    def _state(self, document: Mapping[str, Any], place: str) -> dict[str, Any]:
        if not isinstance(document.get("state"), str):
            raise unknown_field(place, sorted(document))
        faults: list[ValidationError] = []
        for name in self.models:
            try:
                state = model(name).model_validate_json(document["state"])
            except ValidationError as fault:
                faults.append(fault)
            else:
                return state.model_dump(mode="json", exclude=set(self.without))
        # The first model is the usual one: what is wrong by it says most.
        places = sorted({".".join(map(str, one["loc"])) for one in faults[0].errors()})
        raise unknown_field(place, places)


def unknown_field(place: str, fields: list[str]) -> Obstacle:
    """Say that nobody knows whether a field is personal; its value is not shown."""
    return Obstacle(
        f"{place} has fields that nobody allowed: {', '.join(fields)}. Nothing was copied.",
        "Declare them in the model, or list them in deploy/testdata/rows.toml under `fields` or"
        " `without`.",
    )


def model(name: str) -> type[BaseModel]:
    """Return a model by its full name."""
    module, _, attribute = name.rpartition(".")
    found: type[BaseModel] = getattr(importlib.import_module(module), attribute)
    return found


def read(path: Path = ROWS) -> dict[str, Row]:
    """Return the rows by ``<service>.<collection>``; raises ``ValidationError``."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        f"{service}.{collection}": Row.model_validate(row)
        for service, collections in document.items()
        for collection, row in collections.items()
    }
