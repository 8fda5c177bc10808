"""Load the public names of a package on first use.

A command's ``--help`` need not wait for OpenCV then, and ``dir`` and tab completion show the public names only.
"""

import sys
from importlib import import_module


def lazy_exports(package, exports):
    """Return the attributes with which the ``__init__`` of a package exports names lazily.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    exports : dict of str to str
        Modules and the names that each gives, with spaces between them: ``{"idt.extractor": "extract stream"}``. The
        package imports the same names under ``if TYPE_CHECKING:``, for type checkers and editors.

    Returns
    -------
    __getattr__, __dir__ : callable
        The module functions of PEP 562.
    __all__ : list of str
        The public names, in the order in which ``exports`` lists them.

    Examples
    --------
    >>> __getattr__, __dir__, __all__ = lazy_exports(__name__, {"idt.errors": "DataError"})
    >>> __all__
    ['DataError']
    """
    modules = {name: module for module, names in exports.items() for name in names.split()}

    def __getattr__(name):
        if name not in modules:
            # With the module at hand, Python's traceback can name the nearest public name.
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        value = getattr(import_module(modules[name]), name)
        # The next access finds the value in the module without a call of this function.
        vars(sys.modules[package])[name] = value
        return value

    def __dir__():
        return sorted([*modules, *(name for name in vars(sys.modules[package]) if name.startswith("__"))])

    return __getattr__, __dir__, list(modules)
