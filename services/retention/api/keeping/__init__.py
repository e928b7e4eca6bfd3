"""Routes about what is kept: holds, reviews and lists, versions of the schedule, past dates."""

from services.retention.api.keeping.holds import routes as holds
from services.retention.api.keeping.reports import routes as reports
from services.retention.api.keeping.reviews import routes as reviews
from services.retention.api.keeping.schedules import routes as schedules

__all__ = ["holds", "reports", "reviews", "schedules"]
