"""``python -m deploy.docs write|check``: the pages that are made from code and data.

``write`` makes them, ``check`` says which differ from what the code says now and what to do. None
of them needs a broker, a store or a running service.
"""

import asyncio
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final, cast

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.metrics import MetricWrapperBase
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from deploy import asyncapi
from deploy.privacy import register
from services import accounts, consent, deposits, distribution, retention
from services.accounts import api as accounts_api
from services.accounts.settings import Settings as AccountsSettings
from services.consent import api as consent_api
from services.consent.settings import Settings as ConsentSettings
from services.deposits import api as deposits_api
from services.deposits.api.calls import Calls
from services.deposits.api.owners import JournalOwners
from services.deposits.api.registry import Registry
from services.deposits.api.servlet import Servlet
from services.deposits.api.view import View
from services.deposits.crossref import elements
from services.deposits.settings import Settings as DepositsSettings
from services.distribution import api as distribution_api
from services.distribution.host import Host
from services.distribution.outlets import open_outlets
from services.distribution.products import jobs
from services.distribution.rest.pools import Pools
from services.distribution.settings import Settings as DistributionSettings
from services.retention import api as retention_api
from services.retention.model import erasures
from services.retention.settings import Settings as RetentionSettings
from shared import policy
from shared.kafka.topics import Topic, declared
from shared.policy.pools import PoolsPolicy
from shared.runtime import crashpoints, metrics
from shared.runtime.health import Health
from shared.runtime.settings import ServiceSettings
from shared.web import Route

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
NOTE: Final = "<!-- Written by `python -m deploy.docs write`; do not edit. -->"
REMEDY: Final = "run `.venv/bin/python -m deploy.docs write` and commit what it writes"

# A site's document follows from its routes alone: none of the parts behind them is asked for it.
NOBODY: Final = cast("Any", SimpleNamespace())


def distribution_routes() -> list[Route]:
    """Return the routes of every outlet of distribution."""
    names = ("gate", "directory", "works", "index", "key", "database", "health", "harvesting")
    gate = SimpleNamespace(policy=SimpleNamespace(terms=""))
    host = Host(
        **{**dict.fromkeys(names, NOBODY), "gate": cast("Any", gate)},
        settings=DistributionSettings.model_construct(),
    )
    routes = [route for outlet in open_outlets(host) for route in outlet.routes]
    return [*routes, *jobs.routes(NOBODY)]


def retention_routes() -> list[Route]:
    """Return the routes of every room of retention's site; a package may speak for its modules."""
    return [route for room in _rooms_of(retention_api) for route in room.routes(NOBODY)]


def _rooms_of(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        if hasattr(module, "routes"):
            yield module
        elif found.ispkg:
            yield from _rooms_of(module)


SITES: Final[Mapping[str, Callable[[Health], web.Application]]] = {
    "accounts": lambda health: accounts_api.site(
        NOBODY, NOBODY, NOBODY, health=health, callers=NOBODY
    ),
    "consent": lambda health: consent_api.site(NOBODY, health=health, callers=NOBODY),
    "deposits": lambda health: deposits_api.site(
        Servlet(*[NOBODY] * 10),
        View(*[NOBODY] * 7),
        Calls(NOBODY),
        Registry(*[NOBODY] * 5),
        JournalOwners(NOBODY),
        health=health,
        callers=NOBODY,
    ),
    "distribution": lambda health: distribution_api.site(
        distribution_routes(), health=health, callers=NOBODY, pools=Pools(PoolsPolicy({}))
    ),
    "retention": lambda health: retention_api.site(
        retention_routes(),
        health=health,
        callers=NOBODY,
    ),
}
SETTINGS: Final[Mapping[str, type[BaseSettings]]] = {
    "accounts": AccountsSettings,
    "consent": ConsentSettings,
    "deposits": DepositsSettings,
    "distribution": DistributionSettings,
    "retention": RetentionSettings,
}
OWNERS: Final = {
    "accounts": accounts,
    "consent": consent,
    "deposits": deposits,
    "distribution": distribution,
    "retention": retention,
}


def pages() -> dict[str, str]:
    """Return every generated page by its path under docs/."""
    return {
        "policy-references.md": policy_page(),
        "topics.md": topics_page(),
        "metrics.md": metrics_page(),
        "settings.md": settings_page(),
        "services.md": services_page(),
        "crash-points.md": crash_points_page(),
        "erasure-steps.md": erasure_steps_page(),
        "interfaces/deposit-elements.md": elements.page(),
        "interfaces/asyncapi.json": asyncapi.text(),
        "personal-data.md": register.page(NOTE),
        "interfaces/personal-data.json": register.manifest_text(),
        **{
            f"interfaces/openapi-{name}.json": text
            for name, text in asyncio.run(_descriptions()).items()
        },
    }


def policy_page() -> str:
    """Render the references policy."""
    rules = policy.load(ROOT / "deploy" / "policies" / "references.toml")
    heading, rest = policy.as_markdown(rules).split("\n", 1)
    return f"{heading}\n\n{NOTE}\n{rest}"


def topics_page() -> str:
    """Render every topic, who writes it and how it is kept."""
    rows = (
        (
            f"`{one.name}`",
            one.writer,
            one.key,
            str(one.partitions),
            _kept(one),
            "yes" if one.gate else "",
        )
        for one in declared().values()
    )
    said = (
        "From `deploy/topics.toml`. A topic has one writer; producers refuse any other. A gate"
        " topic decides permissions and carries watermarks. Partitions are fixed for life."
    )
    return _page("Topics", said, _table("topic,writer,key,partitions,kept,gate", rows))


def _kept(topic: Topic) -> str:
    policy_of = topic.config["cleanup.policy"]
    return f"{policy_of}, {topic.kept.days} days" if topic.kept else policy_of


def metrics_page() -> str:
    """Render every metric."""
    found = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    rows = []
    for one in found:
        described = next(iter(one.describe()))
        # Prometheus writes a counter's samples with this ending, whatever it was declared as.
        name = described.name + ("_total" if described.type == "counter" else "")
        labels = ", ".join(cast("Iterable[str]", one._labelnames))  # noqa: SLF001  (has no other)
        rows.append((f"`{name}`", described.type, labels, described.documentation))
    said = "At `GET /metrics` of each service. No label names a record, a login or a person."
    return _page("Metrics", said, _table("metric,kind,labels,says", rows))


def settings_page() -> str:
    """Render every setting, those that all services share first."""
    shared = ServiceSettings.model_fields
    lines = [*_settings("Every service", ServiceSettings, set())]
    for name, model in SETTINGS.items():
        lines += ["", *_settings(name, model, set(shared))]
    said = (
        "Each is an environment variable. `make run` sets addresses, ports, keys and folders"
        " itself; what the environment says of the others stays. An unknown one is ignored, a"
        " wrong one stops the service at its start."
    )
    return _page("Settings", said, lines)


def _settings(title: str, model: type[BaseSettings], without: set[str]) -> Iterator[str]:
    yield from (f"## {title}", "")
    rows = (
        (f"`{name.upper()}`", _default(field.default), field.description or "")
        for name, field in model.model_fields.items()
        if name not in without
    )
    yield from _table("variable,default,says", rows)


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "(needed)"
    return "" if value is None or value == "" else f"`{value}`"


def services_page() -> str:
    """Render what each service owns and promises, in its own words."""
    lines = []
    for name, module in OWNERS.items():
        said = " ".join((module.__doc__ or "").split()).replace("``", "`")
        lines += [f"## {name}", "", said, ""]
    return _page("Services", "What each says of itself.", lines[:-1])


def crash_points_page() -> str:
    """Render the places where a test may kill or freeze a process."""
    said = (
        "`COLOPHON_CRASH=<name>` kills a process the first time it passes that place (SIGKILL),"
        " `<name>:<n>` the n-th time, `<name>:<n>:stop` freezes it there instead. For tests."
    )
    rows = ((f"`{name}`", what) for name, what in crashpoints.NAMES.items())
    return _page("Crash points", said, _table("name,state of affairs there", rows))


def erasure_steps_page() -> str:
    """Render what leads an erasure from step to step."""
    said = (
        "From the one table of `services/retention/model/erasures.py`; [privacy.md](privacy.md)"
        " says what the steps are. Nothing leads from a later step to one before `destroying`."
    )
    rows = (
        (f"`{start}`", f"`{verb}`", f"`{to}`")
        for verb, ways in erasures.TRANSITIONS.items()
        for start, to in ways.items()
    )
    return _page("Steps of an erasure", said, _table("at,what happens,then at", rows))


async def _descriptions() -> dict[str, str]:
    """Return each site's OpenAPI document, as it answers it itself."""
    found = {}
    for name, site in SITES.items():
        async with (
            TestClient(TestServer(site(Health()))) as client,
            client.get("/openapi.json") as answer,
        ):
            document = orjson.loads(await answer.read())
        found[name] = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"
    return found


def _page(title: str, said: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", NOTE, "", said, "", *lines]) + "\n"


def _table(heads: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    names = heads.split(",")
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def drifted() -> list[str]:
    """Return the pages that do not say what the code says now."""
    return [
        name
        for name, text in pages().items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != text
    ]


def write() -> None:
    """Write every page."""
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run ``write`` or ``check``."""
    match arguments:
        case ["write"]:
            write()
            return 0
        case ["check"]:
            stale = drifted()
            for name in stale:
                sys.stderr.write(f"docs/{name} does not say what the code says: {REMEDY}.\n")
            return 1 if stale else 0
        case _:
            sys.stderr.write(
                "Say `python -m deploy.docs write` or `python -m deploy.docs check`.\n"
            )
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
