"""What may be wrong with a kept file, and with the place where files are kept."""

from office_node.errors import OfficeNodeError


class StoreUnusable(OfficeNodeError):
    """The store cannot be read or written: nothing is said of the files in it."""

    code = "N304"
    hint = "see that the folder named by [library] store exists, has room and belongs to the node's user"


class FileMissing(OfficeNodeError):
    """The catalogue names a file that is not there."""

    code = "N306"
    hint = "run `office-node library verify` and restore the file from the backup"


class DocumentDamaged(OfficeNodeError):
    """A kept file is not what the catalogue says it is."""

    code = "N308"
    hint = "run `office-node library verify` and restore the file from the backup"


class DocumentQuarantined(DocumentDamaged):
    """The file was found damaged and is out of service."""

    code = "N344"
    hint = "take the document in again with `office-node library add`, or put its file back from the backup"
