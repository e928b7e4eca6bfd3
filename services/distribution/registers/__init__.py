"""Registers that others keep and operators import: funders, and DOI prefixes of other agencies.

A register is imported whole, from a file of JSON lines (docs/interfaces/registers.md), and replaces
what was imported before in one step. Hosts hold it in memory and look for a newer one.
"""

from services.distribution.registers.held import Registers
from services.distribution.registers.records import Agency, Funder

__all__ = ["Agency", "Funder", "Registers"]
