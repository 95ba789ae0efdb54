"""What a setting is: a dataclass field with meaning and bounds, checked when it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self, TypeVar, get_args, get_type_hints

from ..errors import CharlmError

Value = TypeVar("Value")


@dataclass(frozen=True)
class Setting:
    """A setting's metadata: everything but its name, type and default."""

    help: str  # a sentence
    group: str = ""  # heading in help texts
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None  # exclusive bound
    below: float | None = None
    option: bool = True  # whether the command line offers it

    def check(self, name: str, kind: type, value: object) -> None:
        """Raise CharlmError if `value` is not a `kind` (one of KINDS), or out of bounds."""
        right = kind if kind is not float else (int, float)
        if not isinstance(value, right) or (isinstance(value, bool) and kind is not bool):
            raise CharlmError(f"`{name}` must be {self.what(kind)}, not {value!r}")
        if self.choices and value not in self.choices:
            raise CharlmError(f"unknown {name} {value!r}: choose {' | '.join(self.choices)}")
        if isinstance(value, int | float) and not self._holds(value):
            raise CharlmError(f"`{name}` must be {self.what(kind)}, not {value!r}")

    def _holds(self, value: float) -> bool:
        """Whether a number is within the bounds; NaN is within none."""
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def what(self, kind: type) -> str:
        """What a value must be, such as: a whole number from 1 to 64."""
        low = high = ""
        if self.minimum is not None and self.maximum is not None:
            return f"{KINDS[kind]} from {self.minimum:,} to {self.maximum:,}"
        if self.minimum is not None:
            low = f" of at least {self.minimum:,}"
        elif self.above is not None:
            low = f" above {self.above:,}"
        if self.maximum is not None:
            high = f" of at most {self.maximum:,}"
        elif self.below is not None:
            high = f" below {self.below:,}"
        return f"{KINDS[kind]}{low}{' and' if low and high else ''}{high}"


KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
}


def setting(default: Value, help: str, group: str = "", **more: Any) -> Value:
    """A dataclass field that is a setting; `more` is passed to `Setting`."""
    made: Value = field(default=default, metadata={"setting": Setting(help, group, **more)})
    return made


@dataclass(frozen=True)
class Described:
    """A field that is a setting, with its type."""

    name: str
    kind: type  # one of KINDS
    others: tuple[type, ...]  # other allowed types: of None, Path
    default: Any
    about: Setting

    def check(self, value: object) -> None:
        """Raise CharlmError if the setting cannot have this value."""
        if not isinstance(value, self.others):
            self.about.check(self.name, self.kind, value)

    def sentence(self) -> str:
        """What the setting means, with its choices."""
        *others, last = self.about.choices or ("",)
        listed = f": {', '.join(others)} or {last}" if last else ""
        return f"{self.about.help.removesuffix('.')}{listed}."


def settings_of(kind: type[Settings]) -> Mapping[str, Described]:
    """The settings of a configuration class, by name, in order."""
    found: dict[str, Described] = {}
    types = get_type_hints(kind)
    for one in fields(kind):
        alternatives = get_args(types[one.name]) or (types[one.name],)
        known = next(each for each in alternatives if each in KINDS)
        found[one.name] = Described(
            one.name,
            known,
            tuple(each for each in alternatives if each is not known),
            one.default,
            one.metadata["setting"],
        )
    return found


@dataclass(frozen=True)
class Settings:
    """Base of configurations: checked on construction, converted to and from plain values."""

    def __post_init__(self) -> None:
        for name, described in settings_of(type(self)).items():
            described.check(getattr(self, name))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild from `as_dict`. Raises CharlmError on unknown, missing or impossible values."""
        unknown = sorted(set(values) - settings_of(cls).keys())
        if unknown:
            raise CharlmError(f"unknown setting {unknown[0]!r}: made by a newer charlm?")
        try:
            return cls(**dict(values))
        except TypeError as error:
            raise CharlmError(f"settings are incomplete or of the wrong type: {error}") from None
