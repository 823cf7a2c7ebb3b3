"""Gives `parse_webhook` what atheris makes of the documented payloads: a webhook, a key and a repr, or a WebhookError.

python tests/fuzz_webhooks.py [options of libFuzzer]

It ends after a minute, or at the first input that raises anything else, takes five seconds or fills a gigabyte.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

atheris: Any = import_module("atheris")

with atheris.instrument_imports(include=["voxloud_async"]):
    from voxloud_async.errors import WebhookError
    from voxloud_async.webhooks.identity import delivery_key
    from voxloud_async.webhooks.parse import parse_webhook

SAMPLES = Path(__file__).parent / "samples"
BOUNDS = ["-max_total_time=60", "-max_len=8192", "-timeout=5", "-rss_limit_mb=1024"]


def one_input(body: bytes) -> None:
    """Parse it."""
    try:
        webhook = parse_webhook(body)
    except WebhookError:
        return
    key = delivery_key(webhook)
    if key != delivery_key(parse_webhook(body)) or not repr(webhook):
        raise AssertionError("one body, two keys")


def main(options: list[str]) -> None:
    """Fuzz, from the samples on; what is found on the way is kept in a folder that goes with the process."""
    with tempfile.TemporaryDirectory() as found:
        atheris.Setup([sys.argv[0], *BOUNDS, *options, found, str(SAMPLES)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
