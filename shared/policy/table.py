"""The references policy as a page for people: every row of the file, nothing else."""

from collections.abc import Sequence

from shared.policy.files import Row
from shared.policy.rules import ReferencesPolicy


def as_markdown(policy: ReferencesPolicy) -> str:
    """Render the policy's rules as Markdown tables, for docs/."""
    choices = [(row, row.choice) for row in policy.file.choice]
    defaults = [(row, row.setting) for row in policy.file.default]
    readers = [(row, f"{row.reader} reads as {row.audience}") for row in policy.file.reader]
    parts = [
        f"# {policy.file.title}",
        f"Version {policy.version}, SHA-256 `{policy.sha[:16]}`. Source: {policy.file.source}.",
        "## Who sees references where",
        _outlets(policy),
        "## As what a reader reads",
        _rows("Reader", readers),
        "## Whose choice counts, in this order",
        _rows("Choice", choices),
        "## The setting where nobody chose",
        _rows("Setting", defaults),
        "## How old knowledge of owners and preferences may be",
        _rows("At most", [(policy.file.knowledge, f"{policy.stale_after.total_seconds():g} s")]),
        "## What is kept back",
        _rows("Fields", [(policy.file.withheld, ", ".join(policy.withheld_fields))]),
    ]
    return "\n\n".join(parts) + "\n"


def _outlets(policy: ReferencesPolicy) -> str:
    lines = [
        "| Outlet | Public sees | Plus sees | The owner sees | Clause | Since | In words |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in policy.file.outlet:
        whose = "" if row.owner_of == "work" else f" (of the {row.owner_of.replace('-', ' ')})"
        lines.append(
            f"| {row.id} | {_list(row.public)} | {_list(row.plus)} | {_list(row.owner)}{whose} "
            f"| {row.clause} | {row.since} | {row.says} |"
        )
    return "\n".join(lines)


def _list(settings: Sequence[str]) -> str:
    return ", ".join(settings) or "none"


def _rows(heading: str, rows: Sequence[tuple[Row, str]]) -> str:
    lines = [f"| {heading} | Rule | Clause | Since | In words |", "|---|---|---|---|---|"]
    lines += [
        f"| {value} | {row.id} | {row.clause} | {row.since} | {row.says} |" for row, value in rows
    ]
    return "\n".join(lines)
