"""Keep numba from reading settings in the current folder.

numba reads ``.numba_config.yaml`` of the current folder, if it can import ``yaml``, when it is imported and whenever it
compiles. That file may name a folder of compiled code, which numba unpickles, so the author of the file could run any
code. If the caller imported numba before us, its settings stay.
"""

import sys
import warnings


def _import_numba_without_yaml():
    absent = object()
    yaml = sys.modules.get("yaml", absent)
    # Without the parser numba ignores the file, and warns each time.
    warnings.filterwarnings("ignore", message="A Numba config file is found")
    sys.modules["yaml"] = None  # type: ignore[assignment]
    try:
        import numba  # noqa: F401
    finally:
        if yaml is absent:
            del sys.modules["yaml"]
        else:
            sys.modules["yaml"] = yaml  # type: ignore[assignment]


if "numba" not in sys.modules:
    _import_numba_without_yaml()
