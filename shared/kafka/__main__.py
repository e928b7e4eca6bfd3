"""``python -m shared.kafka``: topics, users and their rights, dead letters."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import click
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from shared.kafka import dead, rights, topics, users
from shared.kafka.admin import Administrator, NotAllowed, Unsecured, administrator
from shared.kafka.connection import BadAddress
from shared.kafka.produce import Sender
from shared.runtime.clock import SYSTEM
from shared.runtime.faults import Transient
from shared.runtime.settings import ServiceSettings


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(work)
    except NotAllowed as fault:
        raise click.ClickException(
            f"{fault}. Give KAFKA_BOOTSTRAP the broker's administrator."
        ) from None
    except Unsecured as fault:
        raise click.ClickException(
            f"{fault}: it takes whoever reaches it, as the one of `make run` does on this machine"
            " alone. A broker with users: docs/operations.md."
        ) from None
    except (BadAddress, users.NobodysName) as mistake:
        raise click.ClickException(f"{mistake}.") from None
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


def _administering(act: Callable[[Administrator, str], Awaitable[Any]]) -> Any:
    """Do something as the administrator that KAFKA_BOOTSTRAP names."""
    settings = ServiceSettings()

    async def doing() -> Any:
        async with administrator(settings.kafka_bootstrap) as admin:
            return await act(admin, settings.topic_prefix)

    return _run(doing())


@main.group("rights")
def rights_group() -> None:
    """Rights of services at the broker, as deploy/topics.toml implies them."""


@rights_group.command("apply")
@click.option(
    "--passwords",
    is_flag=True,
    help="Also make each service's user, with the password in KAFKA_<SERVICE>_PASSWORD.",
)
def apply_rights(*, passwords: bool) -> None:
    """Give services the rights they lack and take those that are no longer theirs."""
    chosen = _passwords() if passwords else {}
    given, taken = _administering(lambda admin, prefix: users.apply(admin, prefix, chosen))
    click.echo(f"{given} rights given, {taken} taken, {len(chosen)} passwords set")


def _passwords() -> dict[str, str]:
    variables = {one: f"KAFKA_{one.upper()}_PASSWORD" for one in sorted(rights.services())}
    found = {one: os.environ.get(variable, "") for one, variable in variables.items()}
    missing = [variables[one] for one, password in found.items() if not password]
    if missing:
        raise click.ClickException(f"{', '.join(missing)} must be set, e.g. openssl rand -hex 32.")
    return found


@main.group("users")
def users_group() -> None:
    """Services and indexers as users of the broker."""


@users_group.command("add")
@click.argument("user")
def add_user(user: str) -> None:
    """Make USER (a service, or indexer-78 for organisation 78), or give one a new password.

    The password is shown once and kept nowhere. An old one opens no connection any more. An indexer
    may read the public product; that of Metadata Plus follows within seconds while an agreement of
    its organisation runs, where distribution's role access does.
    """
    password = _administering(lambda admin, prefix: users.add(admin, user, prefix))
    click.echo(f"user       {user}")
    click.echo(f"password   {password}")
    click.echo("mechanism  SCRAM-SHA-256")
    click.echo(f"groups     {ServiceSettings().topic_prefix}{user}.<any>")


@users_group.command("list")
def list_users() -> None:
    """List who has a password or a right."""
    table = Table("user", "password", "topics it writes", "products it reads")
    for one in _administering(users.listed):
        table.add_row(
            one.name, "yes" if one.has_password else "", str(one.writes), ", ".join(one.products)
        )
    Console(width=120).print(table)


@users_group.command("remove")
@click.argument("user")
def remove_user(user: str) -> None:
    """Take USER's rights, at once also for its open connections, and its password."""
    if not _administering(lambda admin, prefix: users.remove(admin, user, prefix)):
        raise click.ClickException(f"there is no user {user}; `users list` names them.")
    click.echo(f"{user} is removed")


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
