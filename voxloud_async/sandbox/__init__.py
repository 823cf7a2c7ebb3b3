"""A local Voxloud: the API over real HTTP, seeded people and calls, its open questions as switches, and bad weather.

    async with Sandbox(seed=7) as sandbox:
        ...  # talk to sandbox.url with the key sandbox.api_key

It is written from the API text alone and shares no code with the client, so that a mistake in one shows in the other.
"""

from __future__ import annotations

from .background import in_background
from .drift import Drift
from .journal import Received
from .limits import Concurrency, FixedWindow, Limit, SlidingWindow, TokenBucket
from .pbx import Pbx
from .quirks import Quirks
from .records import ClickToCall, Contact, Did, Group, PlacedCall, Subscription, User
from .server import NOW, Sandbox
from .weather import Fault, Weather
from .webhooks.deliveries import Delivery
from .webhooks.misfortune import Misfortune
from .webhooks.story import StagedCall
from .webhooks.traffic import Traffic

__all__ = [
    "NOW",
    "ClickToCall",
    "Concurrency",
    "Contact",
    "Delivery",
    "Did",
    "Drift",
    "Fault",
    "FixedWindow",
    "Group",
    "Limit",
    "Misfortune",
    "Pbx",
    "PlacedCall",
    "Quirks",
    "Received",
    "Sandbox",
    "SlidingWindow",
    "StagedCall",
    "Subscription",
    "TokenBucket",
    "Traffic",
    "User",
    "Weather",
    "in_background",
]
