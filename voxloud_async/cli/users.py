"""`voxloud users`."""

from __future__ import annotations

from cyclopts import App

from .output import Output, View
from .service import Service
from .tables import Column

app = App(name="users")

_USERS = View(
    models=("User",),
    columns=(
        Column("EXT", ("extension_number",), 5),
        Column("NAME", ("first_name", "last_name")),
        Column("OUTBOUND NUMBER", ("outbound_cli.outbound_did.number",), 16),
        Column("ID", ("id",), 36),
    ),
)
_SERVICE = Service()
_OUTPUT = Output()


@app.command(name="list")
async def list_users(*, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """List all users."""
    async with service.client() as client:
        output.several(await client.users.list(), _USERS)
