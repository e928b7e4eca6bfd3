"""Peers: other sinks from Kafka into MongoDB beside ours, on the same records and store.

Each is a process of its own that follows an empty topic with 12 partitions. Then SCALE works
(4,000), a twentieth of which say a work of the first half again, become readable at once, as one
transaction. Rate: works a second from that moment until the last of each partition stands in the
store. Afterwards the process is started anew as a group that reads the first half again, as after
offsets that were set back; counted are the keys that then stand on an older version. The last
line's ratio is ours to the faster peer.

What is written is the event as a document, by its DOI, without any index: the projector's own
bench (``NAME=projector``) has the real fields.
"""

import os
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from rich.table import Table

from tests.bench.peers.installing import install
from tests.bench.peers.measuring import Figures, measure
from tests.bench.peers.programs import OURS, PEERS, PROGRAMS
from tests.bench.peers.storing import storing
from tests.bench.rig import console, rig


async def main() -> None:
    """Print the table and, last, the ratio."""
    works, rounds = int(os.environ.get("SCALE", "4000")), int(os.environ.get("ROUNDS", "3"))
    installed = install()
    found: dict[str, list[Figures]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="colophon-peers-") as folder:
        async with rig() as own, storing(own, Path(folder)) as here:
            console.print(f"{works:,} works, {works // 20:,} of them twice, {rounds} rounds")
            for number in range(rounds):
                for program in PROGRAMS if number % 2 else reversed(PROGRAMS):
                    figures = await measure(
                        here, program, installed, Path(folder), works=works, number=number
                    )
                    found[program.name].append(figures)
                    console.print(
                        f"round {number + 1}: {program.name}: {figures.rate:,.0f}"
                        f" (load {os.getloadavg()[0]:.1f})"
                    )
    rates = {name: statistics.median(one.rate for one in all_) for name, all_ in found.items()}
    console.print(table(found, works))
    print(f"peers {rates[OURS] / max(rates[name] for name in PEERS):.2f}")  # noqa: T201


def table(found: dict[str, list[Figures]], works: int) -> Table:
    """Return medians of each program, and the worst replay."""
    shown = Table(
        "program",
        "works/s",
        "least to most",
        "CPU s",
        "peak MB",
        f"older after replay, of {works // 20:,}",
    )
    for name in (program.name for program in PROGRAMS):
        every = found[name]
        rates = [one.rate for one in every]
        shown.add_row(
            name,
            f"{statistics.median(rates):,.0f}",
            f"{min(rates):,.0f} to {max(rates):,.0f}",
            f"{statistics.median(one.cpu for one in every):.1f}",
            f"{max(one.peak for one in every):,.0f}",
            f"{max(one.older for one in every):,}",
        )
    return shown
