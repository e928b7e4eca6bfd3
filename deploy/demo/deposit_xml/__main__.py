"""The tool: `python -m deploy.demo.deposit_xml WORKS.JSONL > out.xml`."""

import json
import sys
from pathlib import Path

from deploy.demo.deposit_xml import Head, deposit


def main() -> None:
    """Write the works of a file of JSON lines, all of one kind, as one submission."""
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    sys.stdout.buffer.write(deposit(map(json.loads, lines), Head("demo-batch", "1")))


if __name__ == "__main__":
    main()
