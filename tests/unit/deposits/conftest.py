"""What the tests of this folder share."""

from pathlib import Path

import pytest

from services.deposits.crossref.schemas import Schemas, load_schemas


@pytest.fixture(scope="session")
def schemas(samples: Path) -> Schemas:
    """Return the deposit schemas of the samples; each is compiled once, which takes seconds."""
    return load_schemas(samples / "crossref" / "xsd")
