"""Contact files modelled on the exports of products, with invented people: what is created, and what is rejected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Console

EXPORTS = Path(__file__).parents[1] / "contact_files" / "exports"

NATIONAL = "is a national number, or lacks the + before its country code"
ROUNDED = "is a number that a spreadsheet has rounded"
EXTENSION = "is a number with an extension, which E.164 cannot express"
SHORT = "is too short: an extension or a service number"

FILES: dict[str, tuple[list[str], list[tuple[str, ...]], list[str]]] = {
    "google.csv": (
        [],
        [
            ("Amélie", "Quercia", "+390312345601", "+390312345602", "+393331234567"),
            ("Bruno", "", "+393331234568"),
        ],
        [
            "line 5: First Name: is required",
            "line 6: Phone 1 - Value: is required",
            f"line 7: Phone 1 - Value: {EXTENSION}",
        ],
    ),
    "google_older.csv": (
        [],
        [("Elsa", "Fontana", "+393331234570", "+390612345670"), ("Franco", "", "+393331234571")],
        [f"line 4: Phone 1 - Value: {NATIONAL}"],
    ),
    "outlook.csv": (
        [],
        [("Zoë", "Müller", "+41441234567", "+41791234567"), ("Hans", "", "+41441234568")],
        ["line 5: First Name: is required", f"line 6: Business Phone: {NATIONAL}"],
    ),
    "outlook_german.csv": (
        ["--region", "DE"],
        [("Jördis", "Weiß", "+49301234567", "+4915123456789"), ("Kai", "Groß", "+49307654321")],
        [f"line 4: Telefon geschäftlich: {SHORT}"],
    ),
    "outlook_unicode.csv": (
        [],
        [("Μαρία", "Παπαδοπούλου", "+302101234567"), ("Nikos", "", "+306912345678")],
        [f"line 4: Business Phone: {NATIONAL}"],
    ),
    "hubspot.csv": (
        [],
        [("Paola", "Neri", "+390312345610", "+393331234580"), ("Sara", "Blu", "+390312345612")],
        ["line 3: Phone Number: is required", "line 4: First Name: is required"],
    ),
    "salesforce.csv": (
        ["--region", "US"],
        [("Tina", "Verde", "+12025550123", "+12025550124"), ("Vera", "Gialli", "+12025550126")],
        [f"line 4: Phone: {EXTENSION}", "line 6: Phone: is not a valid number of region US"],
    ),
    "pipedrive.csv": (
        [],
        [
            ("Xenia", "de Santis", "+390312345620", "+390312345621", "+393331234590"),
            ("Yuri", "", "+393331234591"),
        ],
        ["line 4: Person - Phone - Work: is not a telephone number"],
    ),
    "zoho.csv": (
        [],
        [("Alba", "Riva", "+390312345630", "+393331234600")],
        [f"line 3: Phone: {SHORT}", "line 4: Phone: is ambiguous: two numbers, or a 0 behind the country code"],
    ),
    "excel_italian.csv": (
        ["--region", "it"],
        [
            ("Dario", "Città", "+390312345640", "+393331234610"),
            ("Gaia", "Rosa", "+390312345641"),
            ("Ivo", "Bruni", "+393331234611"),
        ],
        [f"line 4: Telefono: {ROUNDED}", f"line 5: Telefono: {ROUNDED}"],
    ),
    "excel_unicode.csv": ([], [("李", "明", "+8613812345678")], [f"line 3: primary_phone: {NATIONAL}"]),
    "mac.csv": (
        [],
        [("Lea", "Lupo", "+390312345650"), ("Noa", "", "+390312345651")],
        ["line 3: Phone: is required"],
    ),
}
"""File, options, contacts (names and numbers) and rejections."""


@pytest.mark.parametrize("name", FILES)
def test_an_export_of_a_product_is_imported(voxloud: Console, name: str) -> None:
    tokens, contacts, rejections = FILES[name]
    result = voxloud("contacts", "import", str(EXPORTS / name), *tokens)
    made = [*voxloud.sandbox.state.contacts.values()][30:]
    assert sorted((c.first_name, c.last_name or "", c.primary_phone, *c.phones) for c in made) == sorted(contacts)
    lines = [line.removeprefix("voxloud: ").partition(" (")[0] for line in result.err.splitlines() if ": line " in line]
    assert lines == rejections
    assert (result.code, result.row["created"], result.row["refused"]) == (1, len(contacts), len(rejections))
    assert voxloud.sandbox.count("POST") == len(contacts), "what is rejected is not sent"


@pytest.mark.parametrize("name", FILES)
def test_a_dry_run_rejects_the_same_rows(voxloud: Console, name: str) -> None:
    tokens, contacts, rejections = FILES[name]
    result = voxloud("contacts", "import", str(EXPORTS / name), "--dry-run", *tokens)
    assert (result.code, result.row["valid"], result.row["refused"]) == (1, len(contacts), len(rejections))
    assert "only the service knows" in result.err.splitlines()[-1]
    assert voxloud.sandbox.requests == []


def test_all_fields_of_an_export_arrive(voxloud: Console) -> None:
    voxloud("contacts", "import", str(EXPORTS / "outlook.csv"))
    zoe = [*voxloud.sandbox.state.contacts.values()][30]
    assert (zoe.company_name, zoe.job_title, zoe.website) == ("Müller AG", "Einkäuferin", "http://mueller.example")
    assert (zoe.primary_email, zoe.emails) == ("zoe@mueller.example", ("z@mueller.example",))


@pytest.mark.parametrize("form", ["csv", "ndjson", "json"])
def test_what_this_console_exports_it_imports(voxloud: Console, tmp_path: Path, form: str) -> None:
    before = [*voxloud.sandbox.state.contacts.values()]
    path = tmp_path / f"contacts.{form.upper()}"
    safe = ["--safe-cells"] if form == "csv" else []
    path.write_text(voxloud.ok("contacts", "search", "--format", form, *safe).out, encoding="utf-8")
    result = voxloud("contacts", "import", str(path), "--concurrency", "1")
    assert (result.code, result.row["created"]) == (0, len(before))
    assert "ignored: id, " in result.err
    after = [*voxloud.sandbox.state.contacts.values()][len(before) :]
    read_only = {"id", "created_at", "updated_at"}

    def kept(contact: object) -> dict[str, object]:
        return {name: getattr(contact, name) for name in contact.__slots__ if name not in read_only}  # type: ignore[attr-defined]

    assert [*map(kept, after)] == [*map(kept, before)]
