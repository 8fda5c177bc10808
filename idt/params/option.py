"""Fields of a parameter dataclass that are command-line options, and the check of their values."""

from dataclasses import field, fields
from typing import Any

from idt.errors import DataError, short_repr


def option(default, *, help, bounds=None, unit="", method="", choices=None, flag=None) -> Any:
    """Make a dataclass field that is also a command-line option.

    Parameters
    ----------
    default : int, float, str, bool or None
    help : str
        One line for ``--help``.
    bounds : Bounds, optional
        Range of a number; every numeric field has one.
    unit, method : str
        Unit of the value; page of docs/method with section, such as ``"extraction 4"``.
    choices : tuple of str, optional
    flag : str, optional
        Name on the command line where it is not the field's own (``--no-camera`` for ``camera``).
    """
    described = {"help": help, "bounds": bounds, "unit": unit, "method": method, "choices": choices, "flag": flag}
    return field(default=default, metadata=described)


def check_fields(params):
    """Refuse values of another type than their fields, outside the choices or outside the bounds.

    Parameters
    ----------
    params : dataclass
        Its fields are made with `option`. Numbers of NumPy become Python's.

    Raises
    ------
    DataError
        If a value is invalid. Texts without choices are not checked here, but by the class itself.
    """
    for item in fields(params):
        name, value, kind = item.name, _as_python(getattr(params, item.name)), str(item.type)
        choices, bounds = item.metadata["choices"], item.metadata["bounds"]
        if value is None and "None" in kind:
            pass
        elif choices is not None:
            if not isinstance(value, str) or value not in choices:
                raise DataError(f"{name} must be one of {', '.join(choices)}, got {short_repr(value)}")
        elif "bool" in kind:
            if not isinstance(value, bool):
                raise DataError(f"{name} must be True or False, got {short_repr(value)}")
        elif bounds is not None and not (isinstance(value, str) and "str" in kind):
            value = bounds.check(name, value)
        object.__setattr__(params, name, value)


def _as_python(value):
    """Return a numpy scalar as a Python number or boolean, which JSON can hold; return anything else unchanged."""
    return value.item() if getattr(value, "shape", None) == () else value
