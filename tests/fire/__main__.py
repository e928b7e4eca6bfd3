"""Judge the history of a run again: ``python -m tests.fire .local/fire/seed-1.jsonl``."""

import sys
from pathlib import Path

from tests.fire.checks import Run, judge, worth_it
from tests.fire.history import read
from tests.fire.load import percentiles


def main(path: Path) -> int:
    """Print the verdict, how long answers took, and what the run lacks; 1 where a law broke."""
    run = Run(read(path))
    verdict = judge(run)
    lines = [verdict.text(), *(percentiles(run.entries, kind) for kind in ("deposit", "read"))]
    lines += [f"not seen: {missing}" for missing in worth_it(run)]
    print("\n".join(lines))  # noqa: T201
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
