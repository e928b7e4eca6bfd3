"""What retention does: load, decide, save; one room for each kind of thing it decides."""

from services.retention.commands.keys import Done, Keys

__all__ = ["Done", "Keys"]
