"""Every check of the project. `nox` runs them all, `nox -l` lists them, `nox -s tests-3.12` runs one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nox
from nox.project import dependency_groups, load_toml, python_versions
from python_discovery import get_interpreter

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.sessions = ["lint", "typecheck", "tests", "coverage", "generated", "docs", "readme"]

# pip trusts what the machine trusts, and so must uv: behind a proxy with certificates of its own nothing else works
os.environ.setdefault("UV_SYSTEM_CERTS", "true")
# the tests start hundreds of processes: without bytecode each of them would compile all that it imports
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).parent
PYPROJECT = load_toml("pyproject.toml")
COVERAGE = ROOT / ".nox" / "measured"  # not `coverage`: there lies the environment of that session
EVERYTHING = ".[all]"


def supported_pythons() -> list[str]:
    """The Pythons of the classifiers that are on this machine, those that pyenv keeps off PATH included."""
    versions = python_versions(PYPROJECT)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    kept = [str(folder) for version in versions for folder in sorted(pyenv.glob(f"{version}.*/bin"))]
    os.environ["PATH"] = os.pathsep.join([*kept, os.environ["PATH"]])
    return [version for version in versions if get_interpreter(version)]


PYTHONS = supported_pythons()
# on one Python alone, since tracing makes the tests last 1.7 times as long: sys.monitoring, which would cost next to
# nothing, tells coverage.py of branches only from 3.14 on
MEASURED = PYTHONS[:1]
# what the oldest and the newest Python agree on, the others hardly see otherwise: they run what needs no server
BETWEEN = PYTHONS[1:-1]
PURE = ["tests/models", "tests/protocol", "tests/session", "tests/ratelimit", "tests/wire", "tests/test_import.py"]


def group(*names: str) -> tuple[str, ...]:
    """The requirements of PEP 735 groups, read here because pip learnt `--group` only in 25.1."""
    return dependency_groups(PYPROJECT, *names)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and form with ruff."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types with mypy (strict), the examples of the documentation included, and with pyright."""
    session.install("-e", EVERYTHING, *group("dev"))
    session.run("mypy")
    pages = session.create_tmp()
    session.run("python", "tests/typing/pages.py", pages)
    session.run("mypy", pages)
    session.run("pyright")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, and measure their coverage on the oldest Python; arguments after `--` go to pytest."""
    session.install("-e", EVERYTHING, *group("test", "codegen"))
    # four on two cores, as many tests wait
    pytest = ["pytest", "-n", "4", "--dist", "worksteal", *session.posargs]
    pytest += ["-m", "not long" if session.python == PYTHONS[-1] else "not acceptance"]
    if session.python in BETWEEN and not (session.posargs or os.environ.get("PYTEST_ADDOPTS")):
        pytest += PURE
    if session.python not in MEASURED:
        session.run(*pytest)
        return
    data = COVERAGE / str(session.python)
    shutil.rmtree(data, ignore_errors=True)
    # `coverage run` and not pytest-cov: the package's own pytest plugin is imported before pytest-cov starts to measure
    session.run("coverage", "run", "-m", *pytest, env={"COVERAGE_FILE": str(data / "data")})


@nox.session
def fast(session: nox.Session) -> None:
    """Run in half a minute what needs neither server nor socket: the loop of a contributor at work."""
    session.install("-e", EVERYTHING, *group("test", "codegen"))
    folders = ["tests/models", "tests/protocol", "tests/ratelimit", "tests/session", "tests/test_layers.py"]
    session.run("pytest", "-n", "4", "-m", "not acceptance", *(session.posargs or folders))


@nox.session(python=PYTHONS[-1:])
def long(session: nox.Session) -> None:
    """Run the tests that last minutes: thousands of odd services, killed bulk runs, generated TypeScript clients."""
    session.install("-e", EVERYTHING, *group("test", "codegen"))
    session.run("pytest", "-n", "4", "--dist", "worksteal", "-m", "long", *session.posargs)


@nox.session(requires=[f"tests-{python}" for python in MEASURED])
def coverage(session: nox.Session) -> None:
    """Hold the tests to full branch coverage."""
    session.install(*(need for need in group("test") if need.startswith("coverage")))
    env = {"COVERAGE_FILE": str(COVERAGE / "data")}
    session.run("coverage", "combine", "--keep", "--quiet", *(str(COVERAGE / python) for python in MEASURED), env=env)
    session.run("coverage", "report", env=env)


@nox.session
def generated(session: nox.Session) -> None:
    """Hold the generated models and the JSON of the spec against the spec, byte by byte."""
    session.install("-e", ".", *group("codegen"))
    session.run("python", "-m", "codegen", "--check")


@nox.session
def generate(session: nox.Session) -> None:
    """Write the models and the JSON of the spec anew from the spec."""
    session.install("-e", ".", *group("codegen"))
    session.run("python", "-m", "codegen")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, where a warning is an error, and run every example in it."""
    session.install("-e", EVERYTHING, *group("docs", "test"))
    session.run("zensical", "build", "--clean", "--strict")
    # the examples of a page build on one another, so neither their order nor their process is left to chance
    session.run("pytest", "-p", "no:randomly", "-n", "4", "--dist", "loadfile", "README.md", "docs")


def readme_commands() -> list[str]:
    """The commands that README.md opens with: the demo's, then the tests'."""
    block = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
    opening = block.findall((ROOT / "README.md").read_text(encoding="utf-8"))[:2]
    return [line.removeprefix("$ ") for text in opening for line in text.splitlines() if line.startswith("$ ")]


@nox.session(venv_backend="none")
def readme(session: nox.Session) -> None:
    """Run the README's two commands in a fresh clone, under a fresh HOME."""
    demo, suite = readme_commands()
    if not demo.endswith("voxloud demo") or not suite.endswith("nox -s tests"):
        session.error(f"README.md must open with the demo and the tests, not with {demo!r} and {suite!r}")
    home = Path(session.create_tmp())
    shutil.rmtree(home)
    clone = home / "voxloud_async"
    session.run("git", "clone", "--quiet", str(ROOT), str(clone), external=True)
    # one test file stands for the suite: the sessions above have run the whole of it, and have downloaded what it needs
    downloads = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    env = {
        "HOME": str(home),
        "XDG_CACHE_HOME": downloads,
        "VIRTUAL_ENV": None,
        "PYTEST_ADDOPTS": "tests/test_import.py",
    }
    with session.chdir(clone):
        for command in (demo, suite):
            session.run("sh", "-c", command, env=env, external=True)


@nox.session
def schemathesis(session: nox.Session) -> None:
    """Let schemathesis look for answers of the sandbox that its own OpenAPI document does not allow."""
    session.install("-e", ".", *group("fuzz"))
    session.run("python", "tests/fuzz_sandbox.py", *session.posargs)


@nox.session(python=PYTHONS)
def fuzz(session: nox.Session) -> None:
    """Let atheris look for a delivery that is neither parsed nor refused, for a minute; options go to libFuzzer."""
    session.install("-e", ".", *group("fuzz"))
    session.run("python", "tests/fuzz_webhooks.py", *session.posargs)


@nox.session
def upcoming(session: nox.Session) -> None:
    """Try the transports over what is to come of aiohttp and httpx2, whose connections they use without the clients."""
    session.install("-e", EVERYTHING, *group("test"))
    session.install("--upgrade", "--pre", "aiohttp", "httpx2")
    session.run("pytest", "-n", "4", "tests/wire")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what the project promises in numbers."""
    session.install("-e", EVERYTHING, *group("bench", "test"))
    session.run("python", "benchmarks/import_time.py")
    session.run("python", "-m", "benchmarks.decode", "--write")
    session.run("python", "-m", "benchmarks.frames", "--write")
    session.run("python", "-m", "benchmarks.calls", "--write")
    session.run("python", "-m", "benchmarks.event_loops", "--write")
    session.run("python", "-m", "benchmarks.storm")
    session.run("python", "-m", "benchmarks.storm.simulate")
    session.run("python", "-m", "benchmarks.storm.permit")
    session.run("python", "-m", "benchmarks.streaming")
    session.run("python", "-m", "benchmarks.streaming.drift")
    session.run("python", "-m", "benchmarks.bulk")
    session.run("python", "-m", "benchmarks.inbox")
    session.run("python", "-m", "benchmarks.webhooks")
