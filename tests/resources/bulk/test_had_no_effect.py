"""Which errors show that a change was not carried out."""

from __future__ import annotations

import pytest

from voxloud_async.errors import DeadlineExceededError, ResponseLostError, UsageError, VoxloudError, api_error
from voxloud_async.resources.bulk.outcome import had_no_effect


def late(cause: BaseException | None) -> DeadlineExceededError:
    error = DeadlineExceededError(phase="limit", max_wait=1.0)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "alone", "after_another"),
    [
        (late(None), True, False),
        (UsageError(), True, False),
        (late(ValueError()), False, False),
        (late(ResponseLostError("reset")), False, False),
        (api_error(400), True, True),
        (api_error(404), True, True),
        (api_error(429), True, False),
        (api_error(500), False, False),
    ],
    ids=repr,
)
def test_what_was_sent_before_may_have_been_carried_out_by_then(
    error: VoxloudError,
    alone: bool,  # noqa: FBT001 - a table's column
    after_another: bool,  # noqa: FBT001 - the same
) -> None:
    assert had_no_effect(error) is alone
    assert had_no_effect(error, sent_before=True) is after_another
