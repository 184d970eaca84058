"""Whether XML is well formed, read piece by piece. Nothing is fetched and no entity is replaced."""

from xml.parsers.expat import XML_PARAM_ENTITY_PARSING_NEVER
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from office_node.library.inspection.findings import Kind, escaped

_DEEPEST = 1000
_LONGEST_BYTES = 1 << 20
"""Of one tag or comment; text may be of any length. The parser scans an unfinished one again with each block."""


class XmlCheck:
    """Fed with a document from its start to its end."""

    def __init__(self) -> None:
        self._parser = _Parser(forbid_dtd=False, forbid_entities=True, forbid_external=True)
        self._parser.setContentHandler(_Depth())
        self._fault: tuple[Kind, str] | None = None
        self._fed_bytes = 0

    def feed(self, block: bytes) -> None:
        if self._fault is None:
            self._fed_bytes += len(block)
            self._fault = self._met(block)

    def fault(self) -> tuple[Kind, str] | None:
        """What was wrong with the whole, if anything."""
        self.feed(b"")
        return self._fault

    def _met(self, block: bytes) -> tuple[Kind, str] | None:
        try:
            self._parser.feed(block)
            if not block:
                self._parser.close()
        except DefusedXmlException as exc:
            return Kind.XML_ENTITIES, escaped(getattr(exc, "name", None) or type(exc).__name__)
        except SAXParseException as exc:
            return Kind.XML_MALFORMED, f"line {exc.getLineNumber()}: {escaped(exc.getMessage())}"
        except (SAXException, ValueError, LookupError) as exc:
            return Kind.XML_MALFORMED, escaped(str(exc))
        if block and self._fed_bytes - self._parser.reached() > _LONGEST_BYTES:
            return Kind.XML_MALFORMED, f"a tag of more than {_LONGEST_BYTES} bytes"
        return None


class _Parser(DefusedExpatParser):
    def reset(self) -> None:
        super().reset()
        # A DOCTYPE may name a DTD (ST.26 does): it is neither fetched nor, as by default, asked for and so refused.
        self._parser.SetParamEntityParsing(XML_PARAM_ENTITY_PARSING_NEVER)  # type: ignore[attr-defined]

    def reached(self) -> int:
        """How many bytes lie before what the parser works on."""
        position: int = self._parser.CurrentByteIndex  # type: ignore[attr-defined]
        return position


class _Depth(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SAXException(f"more than {_DEEPEST} elements within each other")

    def endElement(self, name: str) -> None:  # noqa: N802
        self._depth -= 1
