"""The registers of the demo, imported with the command that every operator has.

Funders are those that the demo's works name, the parts of the largest as its own entry lists them,
and the prefixes of other agencies a handful that anybody meets. All of it are facts.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Final

from rich.console import Console

from deploy.demo.facts import HERE
from deploy.demo.interfaces import OK, System

REGISTERS: Final = ("funders", "agencies")
COMMAND: Final = ("-m", "services.distribution.registers", "import")
BESIDE: Final = ("-m", "deploy.local.within", "--as", "distribution")


async def import_registers(
    system: System, console: Console, environment: Mapping[str, str] = os.environ
) -> None:
    """Import what readers do not have; the demo's works do without it, so a failure is only told.

    The command writes to distribution's own store: the one that the environment names, else that of
    the copy that `make run` started.
    """
    status, answer = await system.read("/funders?rows=0")
    if status == OK and answer["message"]["total-results"]:
        return
    for register in REGISTERS:
        file = HERE / "registers" / f"{register}.jsonl"
        beside = () if "MONGODB_URL" in environment else BESIDE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *beside, *COMMAND, register, str(file)),
            env=dict(environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode:
            why = " ".join(said.decode().split())
            console.print(
                f"The register {register} is not imported: {why}", soft_wrap=True, markup=False
            )
