"""The story in the terminal: a deposit, who sees its references, two flips, and how fast they bite.

Everything is done and measured from outside, against the running system: a member deposits one
new article, four readers look at it, the member changes its mind twice, and each outlet is asked
again and again until it obeys.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from deploy.demo import facts
from deploy.demo.credentials import Credentials
from deploy.demo.deposit_xml import Head, deposit
from deploy.demo.interfaces import OK, Login, System, Unexpected
from services.distribution.transform.records.elements import Work

_NARRATOR = 4443  # PeerJ: its references are open in the demo
_OTHER = 340
_PATIENCE = 20.0  # seconds until an outlet must obey; the promise is 1 s
_GLANCE = 0.01  # seconds between two looks at an outlet

# Who sees references under which setting (crossref.md 10: the truth table of REST).
SEES: dict[str, tuple[str, ...]] = {
    "open": ("anonymous", "Plus subscriber", "owner", "another member", "expired Plus"),
    "limited": ("Plus subscriber", "owner"),
    "closed": ("owner",),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """One who reads, and with what."""

    name: str
    by: Login | None = None
    plus: str | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """One way to a work: its name, the route, and where the work is in the answer."""

    name: str
    route: str
    work: Callable[[Any], Work | None]


async def tell(system: System, console: Console) -> bool:
    """Tell the story; True when every outlet obeyed in time. Raises Unexpected."""
    kept = Credentials(system.where.credentials)
    owner, other = kept.login(_NARRATOR), kept.login(_OTHER)
    if owner is None or other is None:
        raise Unexpected("The demo is not loaded: run `python -m deploy.demo load` first")
    member = next(m for m in facts.members() if m.id == _NARRATOR)
    prefix = member.prefixes[0]
    readers = (
        Reader("anonymous"),
        Reader("Plus subscriber", plus=kept.plus("plus")),
        Reader("expired Plus", plus=kept.plus("expired")),
        Reader("owner", by=owner),
        Reader("another member", by=other),
    )
    await system.prefer(member.id, prefix, setting="open", by=owner)
    work = _article(prefix)
    console.print(f"\n[bold]1. {member.name} deposits an article[/] with three references.")
    await _deposit(system, work, owner, console)
    outlets = _outlets(work["DOI"], member)
    console.print("\n[bold]2. Who sees its references while the prefix is open?[/]")
    whole = await _show_readers(system, work["DOI"], readers, setting="open", console=console)
    setting = "open"
    for number, chosen in ((3, "closed"), (4, "limited"), (5, "open")):
        console.print(f"\n[bold]{number}. {member.name} changes {setting} to {chosen}.[/]")
        whole &= await _flip(
            system,
            (member, prefix, owner),
            readers,
            outlets=outlets,
            change=(setting, chosen),
            console=console,
        )
        whole &= await _show_readers(system, work["DOI"], readers, setting=chosen, console=console)
        setting = chosen
    receipt = await system.receipt(member.id, prefix, by=owner)
    console.print("\n[bold]6. The receipt[/]: when each outlet says it began to obey.")
    console.print_json(data=receipt)
    return whole


def _article(prefix: str) -> Work:
    """Return a new article that cites three works of the demo."""
    moment = datetime.now(UTC)
    said = moment.strftime("%Y%m%d%H%M%S%f")
    cited = [w["DOI"] for w in facts.works() if w["DOI"].startswith(prefix)][:3]
    return {
        "type": "journal-article",
        "DOI": f"{prefix}/colophon.demo.{said}",
        "title": ["A deposit to tell a story with"],
        "author": [
            {
                "given": "Ada",
                "family": "Example",
                "sequence": "first",
                "affiliation": [],
                "role": [{"role": "author", "vocabulary": "crossref"}],
            }
        ],
        "container-title": ["PeerJ"],
        "issn-type": [{"type": "electronic", "value": "2167-8359"}],
        "issued": {"date-parts": [[moment.year, moment.month, moment.day]]},
        "published-online": {"date-parts": [[moment.year, moment.month, moment.day]]},
        "resource": {"primary": {"URL": f"https://example.org/{said}"}},
        "reference": [{"key": f"ref-{n}", "DOI": doi} for n, doi in enumerate(cited, 1)],
    }


async def _deposit(system: System, work: Work, by: Login, console: Console) -> None:
    name = work["DOI"].replace("/", "-")
    stamp = name.rpartition(".")[2][:14]
    began = time.perf_counter()
    await system.deposit(deposit([work], Head(name, stamp)), file_name=f"{name}.xml", by=by)
    queued = time.perf_counter() - began
    await _until(lambda: system.resolves(work["DOI"]), f"{work['DOI']} to resolve")
    readable = time.perf_counter() - began
    console.print(
        f"   {work['DOI']}: safe after {queued * 1000:.0f} ms, "
        f"readable after {readable * 1000:.0f} ms."
    )


async def _until(done: Callable[[], Any], what: str) -> float:
    """Look until it is so; return how long that took, in seconds."""
    began = time.perf_counter()
    while not await done():
        if time.perf_counter() - began > _PATIENCE:
            raise Unexpected(f"Waited {_PATIENCE:.0f} s in vain for {what}")
        await asyncio.sleep(_GLANCE)
    return time.perf_counter() - began


def _outlets(doi: str, member: facts.Member) -> tuple[Outlet, ...]:
    def single(answer: Any) -> Work | None:
        return answer["message"] if answer else None

    def listed(answer: Any) -> Work | None:
        items = answer["message"]["items"] if answer else []
        return items[0] if items else None

    name, narrow = quote(doi, safe=""), f"filter=doi:{quote(doi)}"
    return (
        Outlet("/works/{doi}", f"/works/{name}", single),
        Outlet("/v1/works/{doi}", f"/v1/works/{name}", single),
        Outlet("/works?filter", f"/works?{narrow}", listed),
        Outlet("/works?filter&select", f"/works?{narrow}&select=DOI,reference", listed),
        Outlet("/prefixes/{p}/works", f"/prefixes/{member.prefixes[0]}/works?{narrow}", listed),
        Outlet("/members/{id}/works", f"/members/{member.id}/works?{narrow}", listed),
    )


async def _sees(system: System, outlet: Outlet, reader: Reader) -> bool | None:
    """Whether a reader sees references there; None when the work is not shown at all."""
    status, answer = await system.read(outlet.route, by=reader.by, plus=reader.plus)
    work = outlet.work(answer) if status == OK else None
    return None if work is None else bool(work.get("reference"))


async def _show_readers(
    system: System, doi: str, readers: tuple[Reader, ...], *, setting: str, console: Console
) -> bool:
    table = Table(
        "reader", "references", "counted", "reason when withheld", box=None, pad_edge=True
    )
    whole = True
    for reader in readers:
        status, answer = await system.read(
            f"/works/{quote(doi, safe='')}", by=reader.by, plus=reader.plus
        )
        work = answer["message"] if status == OK else {}
        shown = len(work.get("reference", ()))
        expected = reader.name in SEES[setting]
        whole &= bool(shown) == expected
        mark = "[green]" if bool(shown) == expected else "[red]"
        table.add_row(
            reader.name,
            f"{mark}{shown or 'none'}[/]",
            str(work.get("references-count", "")),
            str(work.get("references-withheld", {}).get("reason", "")),
        )
    console.print(table)
    return whole


async def _flip(
    system: System,
    chooser: tuple[facts.Member, str, Login],
    readers: tuple[Reader, ...],
    *,
    outlets: tuple[Outlet, ...],
    change: tuple[str, str],
    console: Console,
) -> bool:
    """Change the preference, and measure until each outlet obeys for those whose view changes."""
    member, prefix, by = chooser
    before, after = change
    affected = [r for r in readers if (r.name in SEES[before]) != (r.name in SEES[after])]
    began = time.perf_counter()
    await system.prefer(member.id, prefix, setting=after, by=by)
    answered = time.perf_counter() - began

    async def obeyed(outlet: Outlet, reader: Reader) -> float:
        async def so() -> bool:
            return await _sees(system, outlet, reader) is (reader.name in SEES[after])

        return await _until(so, f"{outlet.name} to obey for {reader.name}")

    looks = [(outlet, reader) for outlet in outlets for reader in affected[:2]]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(obeyed(outlet, reader)) for outlet, reader in looks]
    times = [task.result() for task in tasks]
    console.print(
        f"   The change was in force when it was answered, after {answered * 1000:.0f} ms."
    )
    table = Table("outlet", "asked as", "obeyed after", box=None, pad_edge=True)
    for (outlet, reader), took in zip(looks, times, strict=True):
        table.add_row(outlet.name, reader.name, f"{took * 1000:.0f} ms")
    console.print(table)
    return max(times, default=0.0) <= 1.0
