"""Who meets the storm: each makes the same number of calls at once and says how many came through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import aiohttp
import botocore.config  # type: ignore[import-untyped]
import botocore.exceptions  # type: ignore[import-untyped]
import botocore.session  # type: ignore[import-untyped]
import openai
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from voxloud_async import VoxloudClient
from voxloud_async.errors import VoxloudError

PATIENCE = 60.0
"""Seconds that a contender without a bound of its own may take."""


async def _all(call: Callable[[], Awaitable[object]], calls: int, fault: type[Exception]) -> int:
    results = await asyncio.gather(*(call() for _ in range(calls)), return_exceptions=True)
    unexpected = [result for result in results if isinstance(result, BaseException) and not isinstance(result, fault)]
    if unexpected:
        raise unexpected[0]
    return sum(not isinstance(result, BaseException) for result in results)


_RUNS = count()


def voxloud(url: str, calls: int) -> int:
    """This package with its defaults, and a key that it has learned nothing of."""

    async def storm() -> int:
        async with VoxloudClient(f"key-{next(_RUNS)}", base_url=url) as client:
            return await _all(client.validate_auth, calls, VoxloudError)

    return asyncio.run(storm())


def tenacity_defaults(url: str, calls: int) -> int:
    """Aiohttp under tenacity's jitter as its documentation shows it: at most 5 attempts, waits up to 30 s."""
    return _tenacity(url, calls, stop_after_attempt(5))


def tenacity_patient(url: str, calls: int) -> int:
    """The same, for as long as it takes."""
    return _tenacity(url, calls, stop_after_delay(PATIENCE))


def _tenacity(url: str, calls: int, stop: stop_base) -> int:
    async def storm() -> int:
        async with aiohttp.ClientSession() as session:

            async def call() -> object:
                wait = wait_random_exponential(multiplier=0.5, max=30)
                retrying = AsyncRetrying(
                    wait=wait, stop=stop, retry=retry_if_exception_type(aiohttp.ClientError), reraise=True
                )
                return await retrying(get)

            async def get() -> object:
                async with session.get(url) as response:
                    response.raise_for_status()
                    return await response.json()

            return await _all(call, calls, aiohttp.ClientError)

    return asyncio.run(storm())


def openai_defaults(url: str, calls: int) -> int:
    """Openai's client with its 2 retries."""
    return _openai(url, calls, openai.DEFAULT_MAX_RETRIES)


def openai_patient(url: str, calls: int) -> int:
    """Openai's client with 60 retries."""
    return _openai(url, calls, 60)


def _openai(url: str, calls: int, max_retries: int) -> int:
    async def storm() -> int:
        async with openai.AsyncOpenAI(api_key="key", base_url=url, max_retries=max_retries) as client:
            return await _all(lambda: client.get("/account", cast_to=object), calls, openai.APIError)

    return asyncio.run(storm())


def botocore_adaptive(url: str, calls: int) -> int:
    """Botocore's adaptive mode with its 5 attempts, a thread a call: it knows no asyncio."""
    return _botocore(url, calls, 5)


def botocore_patient(url: str, calls: int) -> int:
    """The same with 60 attempts."""
    return _botocore(url, calls, 60)


def _botocore(url: str, calls: int, attempts: int) -> int:
    config = botocore.config.Config(
        retries={"mode": "adaptive", "total_max_attempts": attempts}, max_pool_connections=calls
    )
    session = botocore.session.get_session()
    client = session.create_client(
        "dynamodb",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",  # noqa: S106 - nobody checks it
        config=config,
    )

    def call(_: int) -> bool:
        try:
            client.list_tables()
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            return False
        return True

    with ThreadPoolExecutor(calls) as pool:
        return sum(pool.map(call, range(calls)))


CONTENDERS: dict[str, Callable[[str, int], int]] = {
    "voxloud_async": voxloud,
    "tenacity, 5 attempts": tenacity_defaults,
    "tenacity, patient": tenacity_patient,
    "openai, 2 retries": openai_defaults,
    "openai, 60 retries": openai_patient,
    "botocore adaptive, 5 attempts": botocore_adaptive,
    "botocore adaptive, 60 attempts": botocore_patient,
}
