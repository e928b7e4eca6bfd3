"""How the facts in `works/` were made: `python -m deploy.demo.extract WORKS.JSONL`.

The source is a file of JSON lines, each a work object as api.crossref.org returned it in June
2026. All are taken, as they stand and in the source's order, without the three fields whose text
may be somebody's: `abstract`, `description` and `assertion`. What remains are bibliographic facts:
identifiers, names, titles, dates, references.

Each work goes into the file of the member that deposits it in the demo: the owner of its DOI's
own prefix as members.toml has it. (Twelve works belong to another prefix by a later transfer.)
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LEFT_OUT = ("abstract", "description", "assertion")


def extract(source: Path, *, into: Path = HERE / "works") -> dict[int, int]:
    """Write the facts, one file per member; return how many works each member has."""
    members = tomllib.loads((HERE / "members.toml").read_text("utf-8"))["member"]
    owner = {prefix: member["id"] for member in members for prefix in member["prefixes"]}
    lines: dict[int, list[str]] = {}
    for line in source.read_text("utf-8").splitlines():
        work: dict[str, Any] = json.loads(line)
        facts = {key: value for key, value in work.items() if key not in LEFT_OUT}
        member = owner[work["DOI"].split("/")[0]]
        lines.setdefault(member, []).append(json.dumps(facts, ensure_ascii=False))
    into.mkdir(exist_ok=True)
    for member, found in lines.items():
        (into / f"{member}.jsonl").write_text("\n".join(found) + "\n", "utf-8")
    return {member: len(found) for member, found in lines.items()}


if __name__ == "__main__":
    written = extract(Path(sys.argv[1]))
    print(f"{sum(written.values())} works of {len(written)} members")
