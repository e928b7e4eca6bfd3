"""``python -m tests.bench NAME``: run one bench; the last line is ``NAME <ratio>``."""

import asyncio
import importlib

import click

NAMES = (
    "projector",
    "read",
    "ingest",
    "flip",
    "flip-all",
    "bulk",
    "products",
    "peers",
    "rebuild",
    "withdrawal",
    "privacy",
    "rotation",
    "preview",
    "clocks",
    "erasure",
    "sar",
    "search",
    "list",
    "ranking",
    "snapshot",
    "harvest",
    "matching",
)


@click.command()
@click.argument("name", type=click.Choice(NAMES))
def main(name: str) -> None:
    """Measure NAME beside its bare baseline and print the ratio last."""
    asyncio.run(importlib.import_module(f"tests.bench.{name.replace('-', '_')}").main())


if __name__ == "__main__":
    main()
