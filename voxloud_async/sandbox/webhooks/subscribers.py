"""Which subscriptions hear of an event, and what their failures do to them (W8). Pure."""

from __future__ import annotations

from attrs import evolve, frozen

from ..pbx import Pbx
from ..quirks import Quirks
from ..records import Subscription


@frozen
class Subscribers:
    """The subscriptions of a PBX."""

    pbx: Pbx
    quirks: Quirks

    def of(self, event_type: str) -> list[Subscription]:
        """Those that are to hear of an event of this type."""
        return [each for each in self.pbx.subscriptions.values() if each.enabled and each.event_type == event_type]

    def find(self, subscription_id: str) -> Subscription | None:
        """One that still exists and is enabled."""
        found = self.pbx.subscriptions.get(subscription_id)
        return found if found is not None and found.enabled else None

    def delivered(self, subscription_id: str) -> None:
        """A delivery was answered as it should be."""
        found = self.pbx.subscriptions.get(subscription_id)
        if found is not None and found.failed_count and self.quirks.failed_count_after_success == "reset":
            self.pbx.subscriptions[found.id] = evolve(found, failed_count=0)

    def failed(self, subscription_id: str, error: str) -> None:
        """A delivery failed: count it, and switch the subscription off when there were too many."""
        found = self.pbx.subscriptions.get(subscription_id)
        if found is None:
            return
        count = found.failed_count + 1
        enabled = found.enabled and count < self.quirks.disabled_after
        self.pbx.subscriptions[found.id] = evolve(found, failed_count=count, last_error=error, enabled=enabled)
