"""From the spec to the text of the generated files."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import Formatter, PythonVersion

from .source import HERE, Config, document, spec_json, template_data

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = "# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit."

_PACKAGE = "voxloud_async.models"
_LIST = re.compile(r"\blist\[([\w.]+)\]")
_RUFF = (sys.executable, "-m", "ruff")
_SETTINGS = ("--isolated", "--quiet", "--no-cache", "--line-length=120", "--target-version=py311")


def files() -> dict[str, str]:
    """The generated files by their paths in `voxloud_async`."""
    models = {f"models/{name}": code for name, code in _models().items()}
    return models | {"spec/voxloud.json": spec_json()}


def _models() -> dict[str, str]:
    config = Config.load()
    made = {name: _documented(name, _ours(code), config) for name, code in _generated(config) if name != "__init__.py"}
    return _formatted(made | {"__init__.py": _face(config)})


def _generated(config: Config) -> Iterable[tuple[str, str]]:
    made: Any = generate(
        document(config),
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.DataclassesDataclass,
        target_python_version=PythonVersion.PY_311,
        custom_template_dir=HERE / "templates",
        extra_template_data=defaultdict(dict, template_data(config)),
        additional_imports=["attrs.field", "attrs.frozen", f"{_PACKAGE}._enum.OpenEnum"],
        custom_file_header=HEADER,
        disable_timestamp=True,
        formatters=[Formatter.BUILTIN],
        capitalise_enum_members=True,
        snake_case_field=True,
        treat_dot_as_module=True,
        use_exact_imports=True,
        use_field_description=True,
        use_schema_description=True,
        use_standard_collections=True,
        use_type_alias=True,
        use_union_operator=True,
    )
    return (("/".join(path), str(code)) for path, code in made.items())


def _ours(code: str) -> str:
    """Tuples for lists, as the models are frozen; relative imports, as everywhere in the package."""
    return _LIST.sub(r"tuple[\1, ...]", code).replace(f"from {_PACKAGE}._", "from ._")


def _documented(name: str, code: str, config: Config) -> str:
    docstring = f'"""{config.sections[name.removesuffix(".py")]}, as frozen attrs classes."""'
    return code.replace(HEADER, f"{HEADER}\n{docstring}", 1)


def _face(config: Config) -> str:
    modules = config.exports | config.modules
    imports = (f"from .{module} import {', '.join(names)}" for module, names in modules.items())
    names = sorted(name for names in modules.values() for name in names)
    docstring = '"""The objects of the API, as frozen attrs classes."""'
    return "\n".join((HEADER, docstring, "from __future__ import annotations", *imports, f"__all__ = {names}", ""))


def _formatted(made: dict[str, str]) -> dict[str, str]:
    """The files without unused imports, sorted and formatted, whatever ruff settings stand round about."""
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        for name, code in made.items():
            (folder / name).write_text(code, encoding="utf-8")
        _ruff("check", "--fix", "--select=F401,I", *_SETTINGS, directory)
        _ruff("format", *_SETTINGS, directory)
        return {name: (folder / name).read_text(encoding="utf-8") for name in sorted(made)}


def _ruff(*arguments: str) -> None:
    subprocess.run((*_RUFF, *arguments), check=True)  # noqa: S603 - arguments of our own
