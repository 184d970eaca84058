"""Dates on which a document cannot have been filed."""

from datetime import date, timedelta

from office_node import clock
from office_node.errors import OfficeNodeError


class DateAhead(OfficeNodeError):
    """A filing date that has not come yet."""

    code = "N319"
    owner = "office"
    hint = "check the date: it is that of the filing, written YYYY-MM-DD"


def refuse_ahead(filing_date: date) -> None:
    """Raises `DateAhead` for a day that has begun nowhere on earth yet."""
    if filing_date > clock.now().date() + timedelta(days=1):
        raise DateAhead(f"the filing date {filing_date.isoformat()} has not come yet")
