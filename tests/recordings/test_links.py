"""Which links are followed: nothing is sent to any other, and none is shown."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.recordings.bucket import SECRETS, TARGET, made
from voxloud_async.recordings import S3_HOSTS, Recordings
from voxloud_async.recordings.links import Hosts
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = [
    "https://vmediaproduction.s3.eu-central-1.amazonaws.com/213/call_recordings/vm_1.mp3",
    "https://prod-fax-service.s3.eu-central-1.amazonaws.com/1/1/fax_2011_5_11_11_32_30.pdf",
    "https://voxloud.s3.eu-central-1.amazonaws.com/6/call_recordings/call_recording_3-clicktocall.mp3",
    "https://s3.eu-central-1.amazonaws.com/voxloud/6/x.mp3",
    "https://with.dots.s3.amazonaws.com/x.mp3?X-Amz-Signature=1",
    "HTTPS://VOXLOUD.S3.EU-CENTRAL-1.AMAZONAWS.COM:443/x",
]


@pytest.mark.parametrize("url", SAMPLES)
async def test_the_links_of_the_samples_are_followed(url: str) -> None:
    transport = FakeTransport(answer(b"sound"))
    async with Recordings(transport=transport) as recordings:
        assert [piece async for piece in recordings.stream(url)] == [b"sound"]
    assert [request.url for request in transport.requests] == [url]


HOST = "https://voxloud.s3.eu-central-1.amazonaws.com"

REFUSED: list[tuple[Any, str]] = [
    (f"http://voxloud.s3.eu-central-1.amazonaws.com{TARGET}", "url must be https"),
    (f"https://user:pass@voxloud.s3.eu-central-1.amazonaws.com{TARGET}", "url must carry no credentials"),
    (f"https://voxloud.s3.amazonaws.com@evil.example{TARGET}", "url must carry no credentials"),
    (f"{HOST}{TARGET}#x", "no fragment"),
    (f"https://evil.example{TARGET}", "url must lead to one of the hosts s3.amazonaws.com, "),
    (f"https://s3.amazonaws.com.evil.example{TARGET}", "one of the hosts"),
    (f"https://evil-s3.amazonaws.com{TARGET}", "one of the hosts"),
    (f"https://internal-1.eu-central-1.elb.amazonaws.com{TARGET}", "one of the hosts"),
    (f"https://x.s3.a.b.amazonaws.com{TARGET}", "one of the hosts"),
    (f"https://.s3.amazonaws.com{TARGET}", "one of the hosts"),
    (f"https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}.s3.amazonaws.com{TARGET}", "url must be in ASCII"),
    (f"{HOST}{TARGET}\N{LATIN SMALL LETTER E WITH ACUTE}", "url must be in ASCII"),
    (f"https://127.0.0.1{TARGET}", "one of the hosts"),
    (f"http://localhost{TARGET}", "one of the hosts"),
    (f"https://169.254.169.254{TARGET}", "one of the hosts"),
    (f"https://evil.example\\.s3.amazonaws.com{TARGET}", "absolute http or https URL"),
    (f"{HOST}{TARGET}\r\nX: y", "absolute http or https URL"),
    (f"ftp://voxloud.s3.amazonaws.com{TARGET}", "absolute http or https URL"),
    (f"file://{TARGET}", "absolute http or https URL"),
    (f"//voxloud.s3.amazonaws.com{TARGET}", "absolute http or https URL"),
    (f"https://voxloud.s3.amazonaws.com:port{TARGET}", "absolute http or https URL"),
    (f"https://[{TARGET}", "absolute http or https URL"),
    (TARGET, "absolute http or https URL"),
    ("", "url must not be empty"),
    (None, "url must be a string, not NoneType"),
    (TARGET.encode(), "url must be a string, not bytes"),
]


@pytest.mark.parametrize(("url", "reason"), REFUSED)
@pytest.mark.parametrize("way", ["save", "stream"])
async def test_another_link_is_refused_unsent_and_unshown(url: Any, reason: str, way: str, tmp_path: Path) -> None:
    transport = FakeTransport()
    async with Recordings(transport=transport) as recordings:
        with pytest.raises((ValueError, TypeError), match=reason) as caught:
            await (recordings.save(url, tmp_path / "x") if way == "save" else anext(recordings.stream(url)))
    assert transport.requests == []
    assert made(tmp_path) == []
    own = caught.value.__traceback__
    assert own is not None
    shown = traceback.TracebackException(type(caught.value), caught.value, own.tb_next, capture_locals=True)
    text = "".join(shown.format())
    assert "self = <Recordings of" in text  # locals are shown
    assert isinstance(url, bytes) or not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        ("media.example", "media.example", "fits"),
        ("Media.Example", "media.EXAMPLE", "fits"),
        ("media.example", "a.media.example", "not"),
        ("media.example", "mediaxexample", "not"),
        ("*.media.example", "a.b.media.example", "fits"),
        ("*.media.example", "media.example", "not"),
        ("a.*.example", "a.b.example", "fits"),
        ("a.*.example", "a.b.c.example", "not"),
        ("::1", "[::1]", "fits"),
        ("10.0.0.7", "10.0.0.7", "fits"),
    ],
)
def test_a_star_is_one_label_and_in_front_several(pattern: str, host: str, fits: str) -> None:
    hosts = Hosts.of([pattern])
    if fits == "fits":
        assert hosts.check(f"https://{host}/x") == host.strip("[]").lower()
    else:
        with pytest.raises(ValueError, match="one of the hosts"):
            hosts.check(f"https://{host}/x")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    hosts = Hosts.of(["localhost", "127.0.0.1", "::1", "192.168.0.7"])
    assert hosts.check(f"http://{host}:8080/x") == host.strip("[]")
    with pytest.raises(ValueError, match="url must be https"):
        hosts.check("http://192.168.0.7/x")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"hosts": "s3.amazonaws.com"}, "hosts must be a list of strings, not str"),
        ({"hosts": []}, "hosts must not be empty"),
        ({"hosts": None}, "hosts must not be empty"),
        ({"hosts": [*S3_HOSTS, "*"]}, r"hosts\[4\] must be a host"),
        ({"hosts": ["https://x.example"]}, r"hosts\[0\] must be a host"),
        ({"hosts": ["x.*y"]}, r"hosts\[0\] must be a host"),
        ({"hosts": [7]}, r"hosts\[0\] must be a string"),
        ({"timeout": 0}, "timeout must be above 0"),
        ({"max_bytes": 0}, "max_bytes must be at least 1"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"retry": 3}, "retry must be a RetryPolicy"),
        ({"transport": "curl"}, "transport must be"),
        ({"subscribers": print}, "subscribers must be a list of callables"),
        ({"chance": 0.5}, "chance must be"),
    ],
)
def test_bad_options_are_named(options: Any, reason: str) -> None:
    with pytest.raises((ValueError, TypeError), match=reason):
        Recordings(**options)


def test_it_takes_no_key() -> None:
    with pytest.raises(TypeError):
        Recordings("key")  # type: ignore[call-arg, arg-type]
    with pytest.raises(TypeError):
        Recordings(api_key="key")  # type: ignore[call-arg]


def test_its_repr_tells_the_hosts() -> None:
    assert repr(Recordings(hosts=["*.media.example"])) == "<Recordings of *.media.example>"
