"""Keep numba from taking settings from the current folder.

numba reads ``.numba_config.yaml`` of the current folder when it is imported and whenever it compiles. That file may
name a folder of compiled code, which numba unpickles: whoever wrote the file could run what he likes. Where numba was
imported before us, its settings are those of somebody who asked for it, and stay.
"""

import os
import sys
import warnings


def _import_numba():
    absent = object()
    yaml = sys.modules.get("yaml", absent)
    # Without a parser numba ignores the file, and says so.
    sys.modules["yaml"] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="A Numba config file is found")
            import numba
    finally:
        if yaml is absent:
            del sys.modules["yaml"]
        else:
            sys.modules["yaml"] = yaml  # type: ignore[assignment]
    # No regular file, so that numba does not read it either when it compiles.
    numba.core.config._config_fname = os.devnull


if "numba" not in sys.modules:
    _import_numba()
