"""`voxloud contacts`."""

from __future__ import annotations

from typing import Annotated, Any

from attrs import asdict, frozen
from cyclopts import App, Group, Parameter

from .output import Output, View
from .service import Service
from .speech import remark
from .tables import Column

app = App(name="contacts")
app.command(
    "voxloud_async.cli.import_contacts:import_contacts",
    name="import",
    help="Create a contact for each row of a file, such as an export of an address book or a CRM.",
)

_CONTACTS = View(
    models=("Contact",),
    columns=(
        Column("FIRST NAME", ("first_name",)),
        Column("LAST NAME", ("last_name",)),
        Column("PHONE", ("primary_phone",), 16),
        Column("ID", ("id",), 36),
    ),
)
_SERVICE = Service()
_OUTPUT = Output()


@Parameter(name="*", group=Group("Fields", sort_key=5))
@frozen(kw_only=True)
class ContactOptions:
    """The fields of a contact."""

    first_name: str | None = None
    """First name; required for a new contact."""
    last_name: str | None = None
    """Last name."""
    primary_phone: str | None = None
    """Number in E.164 format, such as +390312345678; required for a new contact."""
    phones: tuple[str, ...] | None = None
    """Further numbers, one option each."""
    primary_email: str | None = None
    """E-mail address."""
    emails: tuple[str, ...] | None = None
    """Further addresses, one option each."""
    company_name: str | None = None
    """Company."""
    job_title: str | None = None
    """Job title."""
    website: str | None = None
    """Website of the company."""
    crm_name: str | None = None
    """CRM the contact is from; the service says Voxloud where it is not given."""
    crm_contact_url: str | None = None
    """The contact's page in that CRM."""

    def given(self) -> dict[str, Any]:
        """The fields that were given."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def whole(self) -> dict[str, Any]:
        """The fields of a whole contact; ValueError where a required one is missing."""
        if self.first_name is None or self.primary_phone is None:
            raise ValueError("--first-name and --primary-phone are required")
        return self.given()


_NO_FIELDS = ContactOptions()


@app.command
async def search(
    *,
    first_name: str | None = None,
    last_name: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    limit: int | None = None,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """List the contacts whose fields contain the given texts, or all.

    Args:
        first_name: Part of the first name.
        last_name: Part of the last name.
        phone: Part of a number.
        email: Part of an address.
        limit: At most so many.
    """
    async with service.client() as client:
        found = client.contacts.search(
            first_name=first_name, last_name=last_name, phone=phone, email=email, max_items=limit
        )
        await output.stream(found, _CONTACTS)


@app.command
async def get(contact_id: str, /, *, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """Show one contact."""
    async with service.client() as client:
        output.one(await client.contacts.get(contact_id), _CONTACTS)


@app.command
async def create(*, fields: ContactOptions = _NO_FIELDS, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """Create a contact."""
    body = fields.whole()
    async with service.client() as client:
        output.one(await client.contacts.create(**body), _CONTACTS)


@app.command
async def update(
    contact_id: str,
    /,
    *,
    fields: ContactOptions = _NO_FIELDS,
    replace: Annotated[bool, Parameter(show_default=False)] = False,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """Change the given fields of a contact and keep the others.

    Args:
        replace: Keep nothing: the contact has the given fields and no other.
    """
    changes = fields.whole() if replace else fields.given()
    if not changes:
        raise ValueError("no field is given")
    async with service.client() as client:
        write = client.contacts.update if replace else client.contacts.patch
        output.one(await write(contact_id, **changes), _CONTACTS)


@app.command
async def delete(contact_id: str, /, *, service: Service = _SERVICE) -> None:
    """Delete a contact."""
    async with service.client(prints=False) as client:
        await client.contacts.delete(contact_id)
    remark("deleted")
