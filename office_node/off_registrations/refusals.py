"""Why the node does not take a registration on: each with what to do instead."""

from office_node.document_id import PriorityDocumentId
from office_node.errors import OfficeNodeError
from office_node.library.catalogue import CatalogueEntry
from office_node.off_registrations.details import Details
from office_node.off_registrations.records import RegistrationRecord


class NotInLibrary(OfficeNodeError):
    """The library does not keep the document."""

    code = "N350"
    owner = "office"
    hint = "check kind and number with `office-node library find`, or give the file"


class NotRegistered(OfficeNodeError):
    """The document has no registration at WIPO that this node knows of."""

    code = "N351"
    owner = "office"
    hint = "register it with `office-node registrations submit`; one that WIPO knows already is only taken note of"


class RegistrationDiffers(OfficeNodeError):
    """The document is registered, with other data or another content."""

    code = "N352"
    owner = "office"
    hint = "change data with `office-node registrations correct`, the content with `office-node registrations replace`"


class NothingToCorrect(OfficeNodeError):
    """The correction changes nothing."""

    code = "N353"
    owner = "office"
    hint = "compare with `office-node registrations list`, and give what shall be different"


class NothingToReplace(OfficeNodeError):
    """WIPO knows this very content."""

    code = "N354"
    owner = "office"
    hint = "give the new file; the present one has the same bytes"


class AccessCodeMissing(OfficeNodeError):
    """A document that is not in the library needs an access code."""

    code = "N355"
    owner = "office"
    hint = "give the four letters or digits that the applicant was told"


class BeingWithdrawn(OfficeNodeError):
    """A withdrawal of the document is on its way to WIPO."""

    code = "N368"
    owner = "office"
    hint = "submit it again once `office-node registrations list` tells that it is withdrawn"


def not_registered(document: PriorityDocumentId) -> NotRegistered:
    """The refusal, about this document."""
    return NotRegistered(f"{document} is not registered")


def unregistered(is_open: bool, document: PriorityDocumentId) -> None:
    """Raises `NotRegistered` unless it is."""
    if not is_open:
        raise not_registered(document)


def unchanged(registration: RegistrationRecord, entry: CatalogueEntry) -> None:
    """Raises `NothingToReplace` if WIPO knows the library's present content."""
    if registration.version_id == entry.current.version_id:
        raise NothingToReplace(f"{entry.document} has this content already")


def differing(
    registration: RegistrationRecord, entry: CatalogueEntry, details: Details, content_at: str | None
) -> None:
    """Raises `RegistrationDiffers` if what was asked for is not what is there."""
    differs = [
        name
        for name in ("application_category", "application_number", "application_filing_date")
        if getattr(details, name) not in (None, getattr(registration, name))
    ]
    if content_at not in (None, registration.content_at):
        differs.append("who keeps the content, which neither of them changes")
    if registration.version_id != entry.current.version_id:
        differs.append("the content")
    if differs:
        raise RegistrationDiffers(f"{entry.document} is registered already, and differs in: {', '.join(differs)}")
