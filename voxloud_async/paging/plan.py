"""Which page to ask for next."""

from __future__ import annotations

from attrs import define

from .places import Ask, Places, Window


@define
class Plan:
    """One page after another through a window. `asked` counts them since the last restart."""

    places: Places
    window: Window
    size: int
    position: int = 0
    asked: int = 0

    def next(self) -> Ask:
        """The page that goes on where the one before will have ended."""
        ask = self.places.ask(self.window, self.position, self.size)
        self.position = max(ask.start + ask.size, self.position)
        self.asked += 1
        return ask

    def restart(self, position: int, window: Window | None = None) -> None:
        """Go on elsewhere."""
        self.window = self.window if window is None else window
        self.position = max(0, position)
        self.asked = 0

    def shrink(self, most: int) -> None:
        """The service gives so many rows at once and no more."""
        self.places.most = most
        self.size = min(self.size, most)
