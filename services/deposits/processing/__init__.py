"""The worker role: claims submissions, reads their files, judges their records, ends them."""

from services.deposits.processing.worker import Worker

__all__ = ["Worker"]
