"""Runs schemathesis against a sandbox and the OpenAPI document that both are to agree on; its exit code is the answer.

python tests/fuzz_sandbox.py [options of `schemathesis run`]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import voxloud_async
from voxloud_async.sandbox import Quirks, Sandbox

SPEC = Path(voxloud_async.__file__).parent / "spec" / "voxloud.yaml"
BOUNDS = ["--max-examples=30", "--seed=1", "--workers=1", "--phases=examples,coverage,fuzzing,stateful"]

# The document cannot say that an id or an extension must be one that exists.
AS_DOCUMENTED = Quirks(
    null_sent="rejected",
    contact_null="rejected",
    extension="unchecked",
    subscription_body_id="unchecked",
)


async def main(options: list[str]) -> int:
    """Attack a fresh sandbox."""
    # as many groups as it takes never to reach the quota of click-to-calls, whose excess is a 400 as well
    async with Sandbox(events=500, groups=5000, quirks=AS_DOCUMENTED) as sandbox:
        command = [
            "run",
            str(SPEC),
            f"--url={sandbox.url}",
            f"--header=Voverc-Auth: {sandbox.api_key}",
            *BOUNDS,
            *options,
        ]
        process = await asyncio.create_subprocess_exec(Path(sys.executable).with_name("schemathesis"), *command)
        return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
