"""The contacts of the seeded world."""

from __future__ import annotations

import unicodedata

from ..dice import Dice
from ..records import Contact
from .names import COMPANY_ENDINGS, COMPANY_STEMS, CRMS, FIRST_NAMES, JOB_TITLES, LAST_NAMES
from .numbers import outside

_DAY = 86_400_000
_TWO_YEARS = 730


def contact(seed: int, index: int, *, now: int) -> Contact:
    """The contact at this place, created within the two years before `now`."""
    dice = Dice(seed, "contact", index)
    first_name, last_name = dice.choose(FIRST_NAMES), dice.choose(LAST_NAMES)
    company = f"{dice.choose(COMPANY_STEMS)} {dice.choose(COMPANY_ENDINGS)}"
    site = _slug(company) + ".example"
    crm, url, _ = dice.choose(CRMS)
    in_crm = dice.chance(40)
    created_at = now - dice.below(_TWO_YEARS * _DAY)
    return Contact(
        id=dice.uuid(),
        first_name=first_name,
        last_name=last_name if dice.chance(92) else None,
        primary_phone=outside(dice),
        phones=tuple(outside(dice) for _ in range(max(0, dice.below(5) - 2))),
        primary_email=f"{_slug(first_name)}.{_slug(last_name)}@{site}" if dice.chance(80) else None,
        emails=(f"{_slug(last_name)}{dice.below(90)}@mail.example",) if dice.chance(15) else (),
        company_name=company if dice.chance(75) else None,
        job_title=dice.choose(JOB_TITLES) if dice.chance(50) else None,
        website=f"www.{site}" if dice.chance(40) else None,
        crm_name=crm if in_crm else "Voxloud",
        crm_contact_url=url.format(dice.digits(6), dice.digits(6)) if in_crm else None,
        created_at=created_at,
        updated_at=created_at + dice.below(now - created_at + 1),
    )


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum())
