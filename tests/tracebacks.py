"""What an error reporter sees of an error: every frame of it and of those it came from, with all local variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import FrameType

PACKAGE = "voxloud_async"


def links(error: BaseException) -> Iterator[BaseException]:
    """An error, its causes, its contexts, those that are not shown as well, and the members of groups."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        link = left.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        left += [link.__cause__, link.__context__, *getattr(link, "exceptions", ())]


def frames(error: BaseException) -> Iterator[FrameType]:
    for link in links(error):
        trace = link.__traceback__
        while trace is not None:
            yield trace.tb_frame
            trace = trace.tb_next


def is_foreign(frame: FrameType) -> bool:
    """Whether a frame is neither the package's nor a library's, but a test's own."""
    return "/tests/" in frame.f_code.co_filename


def of_the_package(error: BaseException) -> list[str]:
    """The functions of the package that a traceback leads through."""
    return [
        f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}"
        for frame in frames(error)
        if frame.f_globals.get("__name__", "").partition(".")[0] == PACKAGE
    ]


def leaks(error: BaseException, secrets: Iterable[str]) -> list[str]:
    """Where one of the secrets is shown: in a local variable, or in the text or the repr of an error."""
    wanted = [*secrets]
    found = [
        f"{frame.f_code.co_qualname}: {name}"
        for frame in frames(error)
        if not is_foreign(frame)
        for name, value in frame.f_locals.items()
        if any(secret in _shown(value) for secret in wanted)
    ]
    texts = [shown for link in links(error) for shown in (str(link), repr(link), repr(getattr(link, "__notes__", "")))]
    return [*found, *(text for text in texts if any(secret in text for secret in wanted))]


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a half-made object may have no repr
        return repr(error)
