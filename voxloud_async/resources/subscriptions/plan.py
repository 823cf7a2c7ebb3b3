"""What it takes to have the wanted subscriptions. Pure: the list in, the steps out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from string import ascii_letters, digits
from typing import Literal
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from ...models import WebhookSubscription

Action = Literal["create", "update", "delete"]

# A UUID names a thing, such as another tenant's receiver: taken for a token, its subscription would be taken over.
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_TOKEN = re.compile(rf"(?!{_UUID}$)[A-Za-z0-9_-]{{32,}}", re.ASCII)
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_UNRESERVED = frozenset(ascii_letters + digits + "-._~")
_PORTS = {"http": 80, "https": 443}


@frozen(kw_only=True)
class Step:
    """One write. `because` says why in a few words, without the URL, whose path may hold a secret."""

    action: Action
    event_type: str
    because: str
    callback_url: str = field(repr=False)
    id: str | None = None
    """The subscription to change or delete; None where one is created."""
    notification_email: str | None = field(default=None, repr=False)
    """Who shall be told when it is switched off: an update that left it out might clear it (anomaly W6)."""


@frozen(kw_only=True)
class Wish:
    """The one subscription that an event type shall have at its receiver."""

    event_type: str
    callback_url: str = field(repr=False)
    notification_email: str | None = field(default=None, repr=False)


def plan(existing: Iterable[WebhookSubscription], wishes: Mapping[str, Wish], *, prune: bool) -> tuple[Step, ...]:
    """The writes that lead from what exists to what is wished; none where all is well."""
    there = tuple(existing)
    wanted = [step for wish in wishes.values() for step in _fulfil(wish, there)]
    return (*wanted, *(_unwanted(there, wishes) if prune else ()))


def doubles(existing: Iterable[WebhookSubscription], wishes: Mapping[str, Wish]) -> tuple[Step, ...]:
    """The deletions among the writes that are due."""
    return tuple(step for step in plan(existing, wishes, prune=False) if step.action == "delete")


def _fulfil(wish: Wish, there: Iterable[WebhookSubscription]) -> Iterator[Step]:
    own = sorted((each for each in there if _serves(each, wish)), key=lambda each: _rank(each, wish))
    if not own:
        yield _write("create", wish, "it is missing")
        return
    kept, *others = own
    if reason := _flaw(kept, wish):
        told = wish.notification_email or kept.notification_email
        yield evolve(_write("update", wish, reason), id=kept.id, notification_email=told)
    for each in others:
        yield _deletion(each, "it doubles another")


def _serves(subscription: WebhookSubscription, wish: Wish) -> bool:
    """Whether a subscription tells the wished receiver of the wished events, perhaps under an earlier token."""
    return subscription.event_type == wish.event_type and _same_receiver(
        subscription.callback_url or "", wish.callback_url
    )


def _rank(subscription: WebhookSubscription, wish: Wish) -> tuple[bool, bool, int, str]:
    """The best first. The id decides between equals, so that processes that clean up at one time agree."""
    return (
        not same_url(subscription.callback_url or "", wish.callback_url),
        subscription.enabled is False,
        subscription.failed_count or 0,
        subscription.id,
    )


def _flaw(subscription: WebhookSubscription, wish: Wish) -> str | None:
    if not same_url(subscription.callback_url or "", wish.callback_url):
        return "its token is an earlier one"
    if subscription.enabled is False:  # where the service does not say (anomaly W3), it is as it was created
        return "it is switched off"
    if not _is_told(wish.notification_email, subscription.notification_email):
        return "another address is to be told"
    return None


def _is_told(wanted: str | None, held: str | None) -> bool:
    return wanted is None or (held is not None and held.casefold() == wanted.casefold())


def _unwanted(there: Iterable[WebhookSubscription], wishes: Mapping[str, Wish]) -> Iterator[Step]:
    for each in there:
        ours = any(_same_receiver(each.callback_url or "", wish.callback_url) for wish in wishes.values())
        if ours and each.event_type not in {None, *wishes}:
            yield _deletion(each, "nobody wants it")


def _write(action: Action, wish: Wish, because: str) -> Step:
    return Step(
        action=action,
        event_type=wish.event_type,
        because=because,
        callback_url=wish.callback_url,
        notification_email=wish.notification_email,
    )


def _deletion(subscription: WebhookSubscription, because: str) -> Step:
    return Step(
        action="delete",
        event_type=str(subscription.event_type),
        because=because,
        callback_url=subscription.callback_url or "",
        id=subscription.id,
    )


def _same_receiver(one: str, other: str) -> bool:
    """Whether two URLs differ in no more than a token at the end of their path."""
    if same_url(one, other):
        return True
    (one_base, one_end), (other_base, other_end) = _split(one), _split(other)
    return one_base == other_base and bool(_TOKEN.fullmatch(one_end) and _TOKEN.fullmatch(other_end))


def same_url(one: str, other: str) -> bool:
    """Whether two spellings are one URL."""
    return one == other or _split(one) == _split(other)


def _split(url: str) -> tuple[tuple[object, ...], str]:
    """A URL up to the last part of its path, and that part; equal where RFC 3986, 6.2.2, says that URLs are."""
    try:
        parts = urlsplit(_ESCAPE.sub(_normal, url))
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # what somebody else subscribed may be no URL at all
        return (url,), ""
    base, _, end = parts.path.rpartition("/")
    return (parts.scheme, parts.hostname, port, base, parts.query), end


def _normal(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()
