"""The command line: `python -m deploy.demo load` and `python -m deploy.demo story`."""

import asyncio
import sys

from rich.console import Console

from deploy.demo.interfaces import System, Unexpected, addresses
from deploy.demo.loading import load
from deploy.demo.story import tell

_COMMANDS = {"load": load, "story": tell}


async def _run(name: str, console: Console) -> bool:
    async with System(addresses()) as system:
        return await _COMMANDS[name](system, console)


def main() -> int:
    """Run a command; 0 when all went well, 1 when not, 2 when the command is unknown."""
    console = Console()
    name = sys.argv[1] if len(sys.argv) == 2 else ""  # noqa: PLR2004 - one word
    if name not in _COMMANDS:
        console.print("Say `python -m deploy.demo load` or `python -m deploy.demo story`.")
        return 2
    well = False
    try:
        well = asyncio.run(_run(name, console))
    except* Unexpected as found:
        for error in found.exceptions:
            console.print(f"[red]{error}[/]", soft_wrap=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
