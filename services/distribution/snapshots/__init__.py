"""Snapshots: everything in one file, for Metadata Plus subscribers (crossref.md section 2).

A snapshot never outlives a change. It is put together while it is sent, from members that were
compressed beforehand, each with works of one owner and each in two variants: with references and
without. The gate chooses between them at that moment.
"""

from services.distribution.host import Host, Outlet
from services.distribution.snapshots.api import OUTLET, SnapshotsApi
from services.distribution.snapshots.board import Board
from services.distribution.snapshots.serving import Serving
from services.distribution.snapshots.shelf import Shelf

__all__ = ["OUTLET", "open_outlet"]


def open_outlet(host: Host) -> Outlet:
    """Open the snapshots of a host."""
    settings = host.settings
    serving = Serving(
        Shelf(settings.snapshots, host.gate.policy.terms),
        host.gate,
        settings.kafka_bootstrap,
        settings.topic_prefix,
        settings.state_dir / "followed",
    )
    api = SnapshotsApi(host, serving, Board(host.database, host.clock))
    return Outlet((OUTLET,), api.routes(), {"snapshots-served": serving.run})
