"""`voxloud auth`."""

from __future__ import annotations

from cyclopts import App

from .output import Output, View
from .service import Service

app = App(name="auth")

_ACCOUNT = View(models=("Account",))
_SERVICE = Service()
_OUTPUT = Output()


@app.command
async def check(*, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """Tell whose the API key is; exit code 3 where it is nobody's."""
    async with service.client() as client:
        output.one(await client.validate_auth(), _ACCOUNT)
