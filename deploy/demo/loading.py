"""Load the demo: registers, members, preferences, subscribers, 233 works and 12 transfers.

All goes through the front door, and may be repeated and interrupted. What the system itself
answers decides what is left to do: the demo is loaded when the last work of its last file resolves
and the transferred works show their owners; a file is done when its works resolve; an organisation,
a prefix or a login that exists is taken as it is. Transfers come last: a title that belongs to
another member already could not be deposited under any more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.progress import Progress

from deploy.demo import facts
from deploy.demo.credentials import Credentials
from deploy.demo.deposit_xml import Batch, batches
from deploy.demo.importing import import_registers
from deploy.demo.interfaces import Login, RecordResult, SubmissionLog, System, Unexpected
from deploy.progress import progress_on

_AT_ONCE = 4  # members, then files
_PATIENCE = 180.0  # seconds for one file to be processed, and for readers to get the last work
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 1.0  # seconds between two looks
_ALREADY = "less or equal to previously submitted version"


async def load(system: System, console: Console) -> bool:
    """Load what is missing; True when the demo is whole. Raises Unexpected."""
    await import_registers(system, console)
    plan = list(batches(facts.works()))
    last = plan[-1].works[-1]["DOI"]
    kept = Credentials(system.where.credentials)
    if await system.resolves(last) and not await _to_transfer(system):
        console.print(f"The demo is loaded already: {last} resolves. Nothing was done.")
        return True
    with progress_on(console) as progress:
        await _members(system, kept, progress)
        await _subscribers(system, kept)
        refused = await _files(system, kept, plan, progress=progress)
    for result in refused:
        console.print(f"[red]{result.doi}[/]: {result.message}")
    if not refused:
        await _until(lambda: system.resolves(last), f"{last} to be read")
        await _transfers(system)
    total = sum(len(batch.works) for batch in plan)
    console.print(
        f"{total - len(refused)} of {total} works of {len(facts.members())} members are loaded. "
        f"Logins and tokens made for them: {kept.path}"
    )
    return not refused


# -- members and subscribers -------------------------------------------------------------------


async def _members(system: System, kept: Credentials, progress: Progress) -> None:
    task = progress.add_task("members", total=len(facts.members()))
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(member: facts.Member) -> None:
        async with places:
            await system.register(number=member.id, name=member.name, location=member.location)
            for prefix in member.prefixes:
                await system.assign(member.id, prefix, name=member.name)
                if member.setting:
                    await system.prefer(member.id, prefix, setting=member.setting)
            await _login(system, kept, member)
        progress.advance(task)

    async with asyncio.TaskGroup() as group:
        for member in facts.members():
            group.create_task(one(member))


async def _login(system: System, kept: Credentials, member: facts.Member) -> Login:
    """Return a login that works for a member: the kept one, or a new one under a free name."""
    login = kept.login(member.id)
    if login is not None:
        # Issued already, or kept and not issued because the loading was interrupted between.
        await system.issue(member.id, login)
        return login
    for number in range(1, 100):
        name = member.login if number == 1 else f"{member.login}-{number}"
        login = kept.make_login(member.id, name)
        if await system.issue(member.id, login):
            return login
        kept.forget_login(member.id)
    raise Unexpected(f"Every login name tried for {member.name} is taken")


async def _subscribers(system: System, kept: Credentials) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for subscriber in facts.subscribers():
        await system.register(
            number=subscriber.id, name=subscriber.name, location=subscriber.location
        )
        if kept.plus(subscriber.expected) is None:
            token = await system.agree(
                subscriber.id,
                start=_instant(today + timedelta(days=subscriber.from_days)),
                end=_instant(today + timedelta(days=subscriber.to_days)),
            )
            kept.keep_plus(subscriber.expected, token)


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# -- works -------------------------------------------------------------------------------------


async def _files(
    system: System, kept: Credentials, plan: list[Batch], *, progress: Progress
) -> list[RecordResult]:
    """Deposit every file that is not done; return the records that were refused."""
    task = progress.add_task("works", total=sum(len(batch.works) for batch in plan))
    places = asyncio.Semaphore(_AT_ONCE)
    refused: list[RecordResult] = []

    async def one(batch: Batch) -> None:
        async with places:
            if not await _is_done(system, batch):
                by = kept.login(facts.depositor()[batch.prefix].id)
                assert by is not None  # every member has got one
                refused.extend(_refusals(await _deposit(system, batch, by)))
        progress.advance(task, len(batch.works))

    *others, last = plan
    async with asyncio.TaskGroup() as group:
        for batch in others:
            group.create_task(one(batch))
    await one(last)  # alone and last: when it is there, everything is
    return refused


async def _is_done(system: System, batch: Batch) -> bool:
    for work in batch.works:
        if not await system.resolves(work["DOI"]):
            return False
    return True


async def _deposit(system: System, batch: Batch, by: Login) -> SubmissionLog:
    """Deposit a file unless it is on its way already, and wait until it has been processed."""
    log = await system.log(batch.file_name, by=by)
    if log.status not in {"queued", "in_process", "completed"}:
        await system.deposit(batch.xml, file_name=batch.file_name, by=by)
    pause, waited = _FIRST_LOOK, 0.0
    while (log := await system.log(batch.file_name, by=by)).status != "completed":
        if waited > _PATIENCE:
            raise Unexpected(f"{batch.file_name} is still {log.status} after {waited:.0f} s")
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_LOOK)
    return log


def _refusals(log: SubmissionLog) -> list[RecordResult]:
    """Return the failures that matter: a work that is there already is no failure here."""
    return [r for r in log.records if r.status == "Failure" and _ALREADY not in r.message]


async def _until(done: Callable[[], Awaitable[bool]], what: str) -> None:
    pause, waited = _FIRST_LOOK, 0.0
    while not await done():
        if waited > _PATIENCE:
            raise Unexpected(f"Waited {waited:.0f} s in vain for {what}")
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_LOOK)


# -- transfers ---------------------------------------------------------------------------------


async def _to_transfer(system: System) -> list[str]:
    """Return the works that belong to another prefix than the facts say."""
    return [
        work["DOI"]
        for work in facts.works()
        if work["DOI"] in facts.transferred()
        and await system.owner_prefix(work["DOI"]) != work["prefix"]
    ]


async def _transfers(system: System) -> None:
    """Give journals and works that changed hands to their owners, and wait until readers know."""
    for transfer in facts.transfers():
        titles = [title for issn in transfer.issns for title in await system.titles(issn)]
        await system.transfer(transfer.to, works=transfer.works, titles=titles)

    async def settled() -> bool:
        return not await _to_transfer(system)

    await _until(settled, "the transferred works to show their owners")
