"""From which addresses deliveries may come. The service documents none, so by default from all."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import field, frozen

Network = IPv4Network | IPv6Network


def _networks(ranges: Iterable[str] | None) -> tuple[Network, ...] | None:
    if isinstance(ranges, str):
        raise TypeError("a list of addresses must be a list, not a string")
    return None if ranges is None else tuple(ip_network(each) for each in ranges)


@frozen
class Sources:
    """The allowed networks, None for any, and those of the proxies whose `X-Forwarded-For` is believed."""

    _allowed: tuple[Network, ...] | None = field(default=None, converter=_networks, alias="allowed")
    _proxies: tuple[Network, ...] | None = field(default=(), converter=_networks, alias="proxies")

    def admit(self, peer: str | None, forwarded: str) -> bool:
        """Whether a request may come in: from this peer, with this `X-Forwarded-For`."""
        if self._allowed is None:
            return True
        sender = self._sender(peer or "", forwarded)
        return sender is not None and _within(sender, self._allowed)

    def _sender(self, peer: str, forwarded: str) -> IPv4Address | IPv6Address | None:
        """The first from the right that is no proxy of ours: everything left of it, the sender may have invented."""
        for hop in (peer, *reversed(forwarded.split(","))):
            address = _address(hop)
            if address is None or not _within(address, self._proxies or ()):
                return address
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _within(address: IPv4Address | IPv6Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
