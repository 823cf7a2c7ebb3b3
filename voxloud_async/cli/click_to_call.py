"""`voxloud click-to-call`."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter

from .failure import DONE, NOT_ALL
from .output import Output, View
from .service import Service
from .speech import printable, remark
from .tables import Column

app = App(name="click-to-call")

_CLICK_TO_CALLS = View(
    models=("ClickToCall",),
    columns=(
        Column("ID", ("id",), 33),
        Column("NAME", ("name",)),
        Column("EXT", ("extension",), 5),
        Column("NUMBER", ("outboundNumber",), 16),
        Column("FIRST", ("dial_first",), 9),
    ),
)
_CONNECTION = View(models=("Connection",))
_SERVICE = Service()
_OUTPUT = Output()


@app.command(name="list")
async def list_click_to_calls(*, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """List all click-to-calls."""
    async with service.client() as client:
        output.several(await client.click_to_call.list(), _CLICK_TO_CALLS)


@app.command
async def get(click_to_call_id: str, /, *, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """Show one click-to-call."""
    async with service.client() as client:
        output.one(await client.click_to_call.get(click_to_call_id), _CLICK_TO_CALLS)


@app.command
async def create(
    *,
    name: str,
    extension: str,
    outbound_number: str,
    dial_first: Literal["contact", "extension"] | None = None,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """Create a click-to-call. There may be as many as the PBX has users and groups.

    Args:
        name: What it is for; the service puts a prefix before it.
        extension: The extension to be called.
        outbound_number: One of the PBX's own numbers, which the contact sees.
        dial_first: Who is called first; by default the extension.
    """
    async with service.client() as client:
        made = await client.click_to_call.create(
            name=name, extension=extension, outbound_number=outbound_number, dial_first=dial_first
        )
        output.one(made, _CLICK_TO_CALLS)


@app.command
async def delete(click_to_call_id: str, /, *, service: Service = _SERVICE) -> None:
    """Delete a click-to-call, and with it the id that sites embed."""
    async with service.client(prints=False) as client:
        await client.click_to_call.delete(click_to_call_id)
    remark("deleted")


@app.command
def connect(
    click_to_call_id: str,
    /,
    *,
    contact: str,
    yes: Annotated[bool, Parameter(show_default=False)] = False,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> int:
    """Ring the contact and the extension. It asks first, at a terminal; elsewhere it wants --yes.

    Args:
        contact: The number to ring, such as +390312345678.
        yes: Do not ask.
    """
    # Before the event loop: in a coroutine, Ctrl-C would not end the question.
    if not (yes or _agreed(f"This rings {printable(contact)}. Go on? [y/N] ")):
        remark("nobody was called")
        return NOT_ALL
    asyncio.run(_connect(click_to_call_id, contact, service, output))
    return DONE


async def _connect(click_to_call_id: str, contact: str, service: Service, output: Output) -> None:
    async with service.client() as client:
        output.one(await client.click_to_call.connect(click_to_call_id, contact=contact), _CONNECTION)


def _agreed(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ValueError("this rings a phone and nobody is here to be asked: say --yes")
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201 - standard output is for the result
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
