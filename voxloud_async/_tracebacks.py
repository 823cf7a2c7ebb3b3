"""Errors without the frames that they passed through.

Error reporters and notebooks show the local variables of each frame of a traceback. Those of this package hold bodies,
numbers and names. So its own errors leave it without them: their traceback begins with the caller's frame.
"""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any, TypeVar, cast

from .errors import ArgumentTypeError, InvalidArgumentError, VoxloudError

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

OWN = (VoxloudError, InvalidArgumentError, ArgumentTypeError, CancelledError)
"""Errors whose attributes state the facts. Any other error is a mistake of this package, and keeps its frames."""

_PACKAGE = __name__.partition(".")[0]


def without_traceback(error: E) -> E:
    """Take the frames off an error and off those it came from; a context that is not shown goes as a whole.

    What the caller was handling already is the caller's and stays as it is.
    """
    link: BaseException | None = error
    while link is not None and (isinstance(link, OWN) or _is_from_here(link)):
        link.__traceback__ = None
        if link.__suppress_context__:
            link.__context__ = None
        link = link.__cause__ or link.__context__
    return error


def without_frames(target: T) -> T:
    """Decorate a function, or a class for its public methods: errors of this package leave it without their frames.

    Bare `raise` keeps a traceback that was changed, and adds no frame: "Changed in version 3.11" of
    https://docs.python.org/3/reference/simple_stmts.html#raise
    """
    if not isinstance(target, type):
        return cast("T", _wrapped(cast("Callable[..., Any]", target)))
    for name, member in list(vars(target).items()):
        if name in _ITERATION or not name.startswith("_"):
            if isinstance(member, classmethod):
                setattr(target, name, classmethod(_wrapped(member.__func__)))
            elif inspect.isfunction(member):
                setattr(target, name, _wrapped(member))
    return target


_ITERATION = frozenset({"__aiter__", "__anext__", "__aenter__", "__aexit__"})


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except OWN as error:
            without_traceback(error)
            raise

    @wraps(function)
    async def call_async(*args: Any, **options: Any) -> Any:
        try:
            return await function(*args, **options)
        except OWN as error:
            without_traceback(error)
            raise

    @wraps(function)
    async def stream(*args: Any, **options: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(function(*args, **options)) as items:
            try:
                async for item in items:
                    yield item
            except OWN as error:
                without_traceback(error)
                raise

    if inspect.isasyncgenfunction(function):
        return stream
    return call_async if inspect.iscoroutinefunction(function) else call


def _is_from_here(error: BaseException) -> bool:
    trace = error.__traceback__
    module = "" if trace is None else trace.tb_frame.f_globals.get("__name__", "")
    return bool(module == _PACKAGE or module.startswith(f"{_PACKAGE}."))
