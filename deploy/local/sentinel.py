"""Outlives its parent by a moment, to end what the parent started.

Reads lines from standard input: `+123` says that process group 123 was started, `-123` that it
is gone. When the input ends, because the parent ended in whatever way, the groups left are killed:
children and grandchildren alike. Runs alone, so that it starts in milliseconds: no imports of ours.
"""

import os
import signal
import sys


def main() -> None:
    """Watch until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()
