"""From which addresses deliveries may come. The service documents none, so by default from all."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

from attrs import frozen

from ..errors import ArgumentTypeError, InvalidArgumentError

Network = IPv4Network | IPv6Network


def networks(name: str, ranges: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks, read; ValueError or TypeError names the argument they came as."""
    if isinstance(ranges, str):
        raise ArgumentTypeError(name, "must be a list of addresses or networks, not a string")
    try:
        return tuple(ip_network(each) for each in ranges)
    except ValueError as error:
        raise InvalidArgumentError(name, f"must be a list of addresses or networks: {error}") from None


@frozen
class Sources:
    """The allowed networks, None for any, and those of the proxies whose `X-Forwarded-For` is believed."""

    _allowed: tuple[Network, ...] | None = None
    _proxies: tuple[Network, ...] = ()

    @classmethod
    def of(cls, allow_from: Iterable[str] | None, trusted_proxies: Iterable[str]) -> Self:
        """Those of a receiver's arguments."""
        allowed = None if allow_from is None else networks("allow_from", allow_from)
        return cls(allowed, networks("trusted_proxies", trusted_proxies))

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
            if address is None or not _within(address, self._proxies):
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
