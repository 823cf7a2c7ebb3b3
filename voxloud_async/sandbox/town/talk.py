"""What was said: transcriptions and their summaries, put together from sentences."""

from __future__ import annotations

from ..dice import Dice

_OPENINGS = (
    "Buongiorno, la chiamo per l'ordine che avevamo concordato la settimana scorsa.",
    "Good morning, I am calling about the quotation you sent us.",
    "Hello, we still have not received the invoice for March.",
    "Buonasera, vorrei parlare con qualcuno dell'assistenza.",
    "Hi, I would like to move tomorrow's appointment.",
)
_MIDDLES = (
    "The parcel arrived, but one of the boxes was damaged and two items are missing.",
    "La linea cade spesso nel pomeriggio, soprattutto quando siamo in più di dieci.",
    "We need forty units before the end of the month, delivered to the Turin warehouse.",
    "Il prezzo va bene, però ci servirebbe un pagamento a sessanta giorni.",
    "I checked with my colleague and she confirms the new address.",
    "Possiamo risentirci giovedì mattina, così le do una risposta definitiva.",
)
_ENDINGS = (
    "Perfetto, le mando tutto per e-mail. Grazie e buona giornata.",
    "Thank you, I will call back if anything changes.",
    "Va bene, aspetto la sua conferma.",
    "Great, that solves it. Goodbye.",
)
_SUMMARIES = (
    "The caller asks about an order; details will follow by e-mail.",
    "The customer reports a fault and agrees on a new appointment.",
    "Il cliente chiede condizioni di pagamento diverse e attende una conferma.",
    "Delivery date and address were confirmed.",
    "An invoice is missing; accounting will send it again.",
)


def transcription(dice: Dice) -> str:
    """A conversation of a few sentences."""
    middles = (dice.choose(_MIDDLES) for _ in range(dice.between(1, 5)))
    return " ".join((dice.choose(_OPENINGS), *middles, dice.choose(_ENDINGS)))


def summary(dice: Dice) -> str:
    """One sentence about it."""
    return dice.choose(_SUMMARIES)
