"""Faxes to look at: PDF pages with a line of text on them."""

from __future__ import annotations

PDF = "application/pdf"

_FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def sheets(title: str, pages: int) -> bytes:
    """A document of so many A4 pages; the title must be of letters, digits and spaces."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(pages))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox [0 0 595 842] >>",
        _FONT,
    ]
    for index in range(pages):
        text = f"BT /F1 18 Tf 72 760 Td ({title}, page {index + 1} of {pages}) Tj ET"
        font = "/Resources << /Font << /F1 3 0 R >> >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {font} /Contents {5 + 2 * index} 0 R >>",
            f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        ]
    return _file(objects)


def _file(objects: list[str]) -> bytes:
    """The objects with the table of their places (ISO 32000-1, 7.5)."""
    body, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()
