"""Tell open pages that something changed, through the live process. Ids only: a page fetches the rest itself."""

from django.db import connection

CHANNEL = "live"


def announce(audience: str, what: object) -> None:
    """To `audience` ("console", or "chat:<user id>"): `what` changed. Told when the transaction commits; one statement.

    The console is told by triggers (approvals/migrations/0004_live.py); this is for everybody else.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{audience} {what}"])
