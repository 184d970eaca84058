"""Every key of the settings as Markdown, read off the settings' own types, so that the page cannot fall behind them."""

import json
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from office_node.settings.sections import Settings

_PLAIN_NAMES = {bool: "true or false", int: "whole number", float: "number", str: "text"}
_UNITS = ("bytes", "seconds", "hours", "days")
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def settings_reference() -> str:
    """One table per section: key, type, default, what it is."""
    return "\n".join(_sections(Settings, ""))


def _sections(model: type[BaseModel], above: str) -> Iterator[str]:
    for key, field in model.model_fields.items():
        section = _section_in(field.annotation)
        if section is None:
            continue
        name = f"[[{above}{key}]]" if _is_list(field.annotation) else f"[{above}{key}]"
        yield from _section(name, field, section)
        yield from _sections(section, f"{above}{key}.")


def _section(name: str, field: FieldInfo, section: type[BaseModel]) -> Iterator[str]:
    yield f"### {name}\n"
    yield _one_line(section.__doc__) + ("" if field.is_required() else " The section may be left out.") + "\n"
    yield "| key | type | default | what it is |"
    yield "| --- | --- | --- | --- |"
    for key, inner in section.model_fields.items():
        if _section_in(inner.annotation) is None:
            yield f"| `{key}` | {_type(key, inner)} | {_default(inner)} | {_one_line(inner.description)} |"
    yield ""


def _type(key: str, field: FieldInfo) -> str:
    name = _told(field.metadata) or _name(field.annotation)
    unit = next((f" of {unit}" for unit in _UNITS if key.endswith(unit)), "")
    return ", ".join([name + unit, *_bounds(field)])


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _told(arguments[1:]) or _name(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin in (Union, UnionType):
        return _name(next(argument for argument in arguments if argument is not NoneType))
    if origin is tuple:
        return f"list ({_name(arguments[0])})"
    return _PLAIN_NAMES[annotation]


def _told(metadata: Iterable[Any]) -> str | None:
    # The last one counts: it stands nearest to the key.
    return next((told for told in reversed([*metadata]) if isinstance(told, str)), None)


def _bounds(field: FieldInfo) -> Iterator[str]:
    for constraint in field.metadata:
        for attribute, text in _BOUNDS.items():
            if (value := getattr(constraint, attribute, None)) is not None:
                yield f"{text} {value}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    return "none" if field.default is None else f"`{json.dumps(field.default, default=str)}`"


def _section_in(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
