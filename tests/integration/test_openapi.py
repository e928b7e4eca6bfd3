"""What the interface says of itself, held against what it does, and what the wire's makers said.

schemathesis makes requests of the OpenAPI documents; the document that the wire's makers published
names routes, parameters, filters, facets, sorts and field queries, and all are known here.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.comparing import absent
from tests.conftest import SAMPLES
from tests.platform import Platform
from tests.processes import ROOT
from tests.sampled import Sampled, in_thread, opened

DIFFERENCES: Final = ROOT / "docs" / "interfaces" / "differences.md"
EXAMPLES: Final = 2  # for each operation, beside those of every edge
HOOKS: Final = "tests.schemathesis_hooks"  # what no description can say
QUICK: Final = ROOT / "tests" / "schemathesis.toml"  # where edges are tried when time is short
EVERYTHING: Final = Path(os.devnull)
# What is not held against its description, and why. Nothing else is left out.
LEFT_OUT: Final[Mapping[str, str]] = {
    "/works/changes/stream": "an answer goes on as long as its reader reads",
}


@pytest.fixture(scope="module")
def registry(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sampled]:
    def opening() -> AbstractAsyncContextManager[Sampled]:
        return opened(platform, tmp_path_factory.mktemp("openapi"), None)

    yield from in_thread(opening)


async def fuzzed(
    url: str, folder: Path, *more: str, settings: Path = EVERYTHING
) -> tuple[int, str]:
    """Run schemathesis with all its checks over a site; return its status and its report."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(settings)),
        *("run", f"{url}/openapi.json"),
        *("--checks", "all", "--no-color", "--generation-deterministic"),
        *(word for path in LEFT_OUT for word in ("--exclude-path", path)),
        *more,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": HOOKS},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, report.decode()


async def test_no_check_of_schemathesis_fails_over_what_readers_may_ask(
    registry: Sampled, tmp_path: Path
) -> None:
    most = ("--max-examples", str(EXAMPLES))
    status, report = await fuzzed(registry.url, tmp_path, *most, settings=QUICK)
    assert status == 0, report


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_no_check_of_schemathesis_fails_for_long(registry: Sampled, tmp_path: Path) -> None:
    for token in ("", "Bearer operator-token-of-a-test"):
        header = ("--header", f"Authorization: {token}") if token else ()
        status, report = await fuzzed(registry.url, tmp_path, "--max-examples", "300", *header)
        assert status == 0, report


# -- the wire's own document -----------------------------------------------------------------------

EXAMPLES_OF: Final[Mapping[str, str]] = {
    "rows": "1",
    "order": "asc",
    "facet": "type-name:*",
    "sample": "1",
    "sort": "created",
    "offset": "1",
    "mailto": "reader@example.org",
    "select": "DOI",
    "query": "ecology",
    "cursor": "*",
}
FILTER_OF: Final[Mapping[str, str]] = {"/members": "prefix:10.1016", "/funders": "location:France"}
REFUSED: Final = frozenset({"parameter-not-allowed", "unknown-parameter", "filter-not-available"})
LISTS: Final[Mapping[str, str]] = {
    "Field Queries": "query.none-such=x",
    "Sort": "sort=none-such",
    "Facets": "facet=none-such:1",
    "Filters": "filter=none-such:1",
    "Elements": "select=none-such",
}


def published() -> Mapping[str, Any]:
    """Return the paths of the document, {} where it is not beside the checkout."""
    folder = SAMPLES / "crossref" / "openapi"
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    paths: Mapping[str, Any] = json.loads(found[0].read_text("utf-8"))["paths"] if found else {}
    return paths


def filled(path: str, registry: Sampled) -> str:
    """Return a path with the id of something that is there."""
    work = next(w for w in registry.held.works.values() if w.get("ISSN") and "funder" in w)
    ids = {
        "/works/{doi}": work["DOI"],
        "/members/{id}": work["member"],
        "/prefixes/{prefix}": work["prefix"],
        "/journals/{issn}": work["ISSN"][0],
        "/types/{id}": work["type"],
        "/funders/{id}": "100000001",
    }
    for start, value in ids.items():
        if path.startswith(start):
            return path.replace(start, f"{start.partition('{')[0]}{quote(value, safe='/')}", 1)
    return path


@pytest.mark.parametrize("path", sorted(published()))
def test_every_route_and_parameter_of_the_published_document_is_known(
    registry: Sampled, path: str
) -> None:
    said = published()[path].get("get")
    if said is None or path in absent(DIFFERENCES):
        assert path in absent(DIFFERENCES)
        assert registry.ask(path).status == 404  # what is said to be absent is
        return
    target = filled(path, registry)
    assert registry.ask(target).status == 200
    for parameter in said["parameters"]:
        if parameter["in"] != "query":
            continue
        name = parameter["name"]
        start = next((s for s in FILTER_OF if path == s), None)
        value = FILTER_OF[start] if start and name == "filter" else EXAMPLES_OF.get(name)
        answer = registry.ask(f"{target}?{name}={quote(value or 'type:journal-article', safe='')}")
        assert answer.status == 200, (name, answer.body[:300])


@pytest.mark.parametrize("path", sorted(p for p in published() if p.endswith("works")))
def test_every_filter_facet_sort_element_and_field_query_that_it_names_is_known(
    registry: Sampled, path: str
) -> None:
    named = described(published()[path]["get"]["description"])
    for heading, wrong in LISTS.items():
        answer = registry.ask(f"{filled(path, registry)}?{wrong}")
        assert answer.status == 400, (heading, answer.body[:300])
        (failure,) = answer.json()["message"]
        known = set(re.split(r", ", failure["message"].rpartition(": ")[2]))
        known = {name.strip().removeprefix("query.") for name in known}
        wanted = {name.removeprefix("query.") for name in named[heading]}
        # A filter with a dot is listed by its first word too.
        known |= {name.partition(".")[0] for name in known}
        assert wanted - known - absent(DIFFERENCES) == set(), heading


def described(text: str) -> dict[str, set[str]]:
    """Return the names that each chapter of a description lists."""
    chapters = re.split(r"^## +(.+)$", text, flags=re.MULTILINE)
    return {
        heading.strip(): set(re.findall(r"^\+ `([^`]+)`", chapter, flags=re.MULTILINE))
        for heading, chapter in zip(chapters[1::2], chapters[2::2], strict=True)
    }
