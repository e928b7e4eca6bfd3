"""``python -m deploy.testdata [--to FOLDER] [SERVICE ...]``: copy a system that runs, nobody in it.

Beside a copy of Colophon on this machine (``make testdata``), or with MONGODB_URL wherever it is.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from deploy.local.home import home_of
from deploy.local.obstacle import Obstacle
from deploy.local.ports import ports_of
from deploy.local.services import SERVICES, database_prefix
from deploy.local.within import service_environment
from deploy.testdata import rows
from deploy.testdata.exporting import Held, export, told

NAMES = tuple(one.name for one in SERVICES)


@click.command()
@click.argument("services", type=click.Choice(NAMES), nargs=-1)
@click.option("--to", type=click.Path(path_type=Path), help="A new folder; testdata in the home.")
def main(services: Sequence[str], to: Path | None) -> None:
    """Copy what SERVICES keep, by default all, with made-up values where there were people's."""
    home, ports = home_of(os.environ), ports_of(os.environ)
    chosen = services or NAMES
    urls = {name: service_environment(name, home, ports)["MONGODB_URL"] for name in chosen}
    folder = to or home.path / "testdata"
    console = Console()
    try:
        done = export(Held(urls, database_prefix()), rows.read(), folder, console)
    except Obstacle as obstacle:
        sys.exit(f"colophon: {obstacle}")
    for line in told(done, folder):
        console.print(line, highlight=False)


if __name__ == "__main__":
    main()
