"""Clients that are not of this project, in other languages, talk to the sandbox as they would to the service."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import voxloud_async

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve

SPEC = Path(voxloud_async.__file__).parent / "spec" / "voxloud.json"
FOREIGN = Path(__file__).parent / "foreign"

TYPESCRIPT = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "@hey-api/openapi-ts@0.95.0")
TOOLS = ("typescript@5.9.3", "esbuild@0.28.2")
STRICT = ("--noEmit", "--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--target", "es2022")
MODULES = ("--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2023,dom,dom.iterable")
BUNDLE = ("--bundle", "--platform=node", "--format=esm", "--log-level=warning")


async def succeed(*command: str | Path, folder: Path | None = None) -> str:
    """What a command wrote, which must have ended well within a minute."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(60):
            written, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, written.decode()
    return written.decode()


def program(name: str) -> str:
    """Where a program is; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


async def test_javas_client_that_expects_to_continue(api: Api) -> None:
    source = FOREIGN / "Expect.java"
    assert await succeed(program("java"), source, api.sandbox.url, api.sandbox.api_key) == "done\n"
    assert [each.status for each in api.sandbox.requests] == [200, 200, 200, 200, 400, 200, 200, 404]


async def test_nodes_fetch(api: Api) -> None:
    script = FOREIGN / "fetch.mjs"
    assert await succeed(program("node"), script, api.sandbox.url, api.sandbox.api_key) == "done\n"


async def test_curl_that_expects_to_continue(api: Api) -> None:
    body = '{"first_name":"Ada","primary_phone":"+390312345678"}'
    arguments = ["-sS", "--max-time", "10", "--expect100-timeout", "10", "-w", "\n%{http_code} %{time_total}"]
    for header in (f"Voverc-Auth: {api.sandbox.api_key}", "Content-Type: application/json", "Expect: 100-continue"):
        arguments += ["-H", header]
    written = await succeed(program("curl"), *arguments, "-d", body, f"{api.sandbox.url}/api/v1/contacts")
    status, seconds = written.splitlines()[-1].split()
    assert status == "200"
    assert float(seconds) < 1


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generators and the compilers of TypeScript."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    command = [program("npm"), "install", "--no-audit", "--no-fund", *TYPESCRIPT, *TOOLS]
    installed = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=180)  # noqa: S603
    if installed.returncode:
        pytest.skip(f"npm cannot install the generators: {installed.stderr[-200:]}")
    shutil.copytree(FOREIGN, folder, dirs_exist_ok=True)
    return folder


@pytest.mark.acceptance
@pytest.mark.long
@pytest.mark.parametrize(
    ("generator", "client"),
    [
        (("openapi-typescript", SPEC, "-o", "generated/voxloud.ts"), "openapi_fetch"),
        (("openapi-ts", "-i", SPEC, "-o", "generated/hey", "-c", "@hey-api/client-fetch"), "hey_api"),
    ],
    ids=["openapi-typescript", "hey-api"],
)
async def test_a_generated_typescript_client_does_all_that_the_api_offers(
    serve: Serve, node_modules: Path, generator: tuple[str | Path, ...], client: str
) -> None:
    tools = node_modules / "node_modules" / ".bin"
    await succeed(tools / generator[0], *generator[1:], folder=node_modules)
    await succeed(tools / "tsc", *STRICT, *MODULES, f"{client}.ts", folder=node_modules)
    await succeed(tools / "esbuild", f"{client}.ts", *BUNDLE, f"--outfile={client}.mjs", folder=node_modules)
    sandbox = (await serve(events=2000)).sandbox
    written = await succeed(program("node"), f"{client}.mjs", sandbox.url, sandbox.api_key, folder=node_modules)
    assert written == "done\n"
    assert len(sandbox.calls_placed) == 1
