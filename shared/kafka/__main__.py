"""``python -m shared.kafka``: create and list topics; look at dead letters and act on them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import click
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from shared.kafka import dead, topics
from shared.kafka.produce import Sender
from shared.runtime.clock import SYSTEM
from shared.runtime.faults import Transient
from shared.runtime.settings import ServiceSettings


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(work)
    except (Transient, KafkaError, OSError) as fault:
        raise click.ClickException(
            f"{fault}. Is the broker running at KAFKA_BOOTSTRAP? `make run` starts one."
        ) from None


@click.group(help=__doc__)
def main() -> None:
    """Gather the commands."""


@main.group("topics")
def topics_group() -> None:
    """Topics as deploy/topics.toml declares them."""


@topics_group.command("apply")
@click.option("--replication", type=int, default=None, help="Copies of each partition.")
def apply_topics(replication: int | None) -> None:
    """Create the topics that do not exist yet; existing ones are left alone."""
    settings = ServiceSettings()
    made = _run(
        topics.create(
            settings.kafka_bootstrap, prefix=settings.topic_prefix, replication=replication
        )
    )
    click.echo(f"{len(made)} topics created, {len(topics.declared()) - len(made)} were there")


@topics_group.command("list")
def list_topics() -> None:
    """Print every declared topic, its writer and how it is kept."""
    table = Table("topic", "writer", "key", "partitions", "kept", "gate")
    for one in topics.declared().values():
        table.add_row(
            one.name,
            one.writer,
            one.key,
            str(one.partitions),
            one.config["cleanup.policy"],
            "yes" if one.gate else "",
        )
    Console().print(table)


@main.group("dead-letters")
def dead_letters() -> None:
    """Look at records that a consumer group could not apply, and act on them."""


_group = click.option("--group", type=click.Choice(dead.groups()), required=True)
_ids = click.argument("ids", nargs=-1)
_all = click.option("--all", "everything", is_flag=True, help="All open letters of the group.")


@dead_letters.command("list")
@click.option("--group", type=click.Choice(dead.groups()), default=None, help="One group only.")
def list_letters(group: str | None) -> None:
    """List the letters nobody acted on."""
    settings = ServiceSettings()
    table = Table("letter", "group", "type", "parked", "reason")
    for one in [group] if group else dead.groups():
        for found in _run(
            dead.open_letters(settings.kafka_bootstrap, one, prefix=settings.topic_prefix)
        ):
            about = found.about
            table.add_row(
                found.id, one, about.get("ce_type", "?"), about["dead_time"], about["dead_reason"]
            )
    Console(width=200).print(table)


@dead_letters.command("show")
@_group
@click.argument("letter")
def show_letter(group: str, letter: str) -> None:
    """Show the envelope and size of one letter; its content stays where it is."""
    found = _chosen(group, (letter,), everything=False)[0]
    for name, text in found.about.items():
        click.echo(f"{name:16} {text}")
    click.echo(f"{'bytes':16} {len(found.value or b'')}")


@dead_letters.command("replay")
@_group
@_ids
@_all
def replay_letters(group: str, ids: tuple[str, ...], *, everything: bool) -> None:
    """Hand letters to the group again."""
    chosen = _chosen(group, ids, everything=everything)
    _run(_acting(group, lambda sender: dead.replay(sender, group, chosen, at=SYSTEM.now())))
    click.echo(f"{len(chosen)} letters replayed")


@dead_letters.command("drop")
@_group
@_ids
@_all
@click.option("--reason", required=True, help="Why; kept with the letter.")
def drop_letters(group: str, ids: tuple[str, ...], *, everything: bool, reason: str) -> None:
    """Give letters up for good."""
    chosen = _chosen(group, ids, everything=everything)
    _run(
        _acting(
            group, lambda sender: dead.drop(sender, group, chosen, reason=reason, at=SYSTEM.now())
        )
    )
    click.echo(f"{len(chosen)} letters dropped")


def _chosen(group: str, ids: tuple[str, ...], *, everything: bool) -> list[dead.Letter]:
    settings = ServiceSettings()
    waiting = {
        one.id: one
        for one in _run(
            dead.open_letters(settings.kafka_bootstrap, group, prefix=settings.topic_prefix)
        )
    }
    missing = [one for one in ids if one not in waiting]
    if missing:
        raise click.ClickException(
            f"no open letter {missing[0]}; `dead-letters list --group {group}` names them"
        )
    if not ids and not everything:
        raise click.ClickException("name letters, or say --all")
    return list(waiting.values()) if everything else [waiting[one] for one in ids]


async def _acting(group: str, act: Any) -> None:
    settings = ServiceSettings()
    writer = topics.declared()[dead.dead_topic(group)].writer
    sender = Sender(settings.kafka_bootstrap, writer, settings.topic_prefix)
    await sender.start()
    try:
        await act(sender)
    finally:
        await sender.stop()


if __name__ == "__main__":
    main()
