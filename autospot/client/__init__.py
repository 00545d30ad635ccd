"""AutoSpot from a Python program: sign in, look at lots, watch them live.

async with AutoSpot("https://parking.example.org") as autospot:
    await autospot.sign_in("dora@example.org", password)
    async for lot in autospot.lots(near="53.54,9.99"):
        print(lot["name"], lot["free"])
    async with autospot.watch("harbour") as live:
        async for change in live.changes():
            print(change.lot, live.lots[change.lot].counts["total"])
"""

from autospot.client.errors import ApiError, LiveEndedError
from autospot.client.live import Change, Live
from autospot.client.picture import LotPicture
from autospot.client.session import AutoSpot
from autospot.client.shapes import Account, Lot, LotSummary, Tokens, Vehicle

__all__ = [
    "Account",
    "ApiError",
    "AutoSpot",
    "Change",
    "Live",
    "LiveEndedError",
    "Lot",
    "LotPicture",
    "LotSummary",
    "Tokens",
    "Vehicle",
]
