"""The look at a package before it is taken in: in a process of its own that may do little and lives for one file."""

from office_node.library.inspection.findings import PackageFinding, UnsoundPackage
from office_node.library.inspection.inspector import InspectionImpossible, Inspector

__all__ = ["InspectionImpossible", "Inspector", "PackageFinding", "UnsoundPackage"]
