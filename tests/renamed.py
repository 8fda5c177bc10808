"""Extract a clip with a numba that calls something otherwise, and hold the tracks against the release's.

python -m tests.renamed NAME CLIP

numba's sources are changed as they are loaded, so that numba itself goes on to work; so does whatever we use of it that
it documents. The command prints what of ours fell back.
"""

import re
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader

EXPRESSIONS = {
    # Dispatcher
    "_cache": r"\b_cache\b",
    # numba.core.caching.Cache
    "_cache_file": r"\b_cache_file\b",
    "cache_path": r"\bcache_path\b",
    "save_overload": r"\bsave_overload\b",
    # IndexDataCacheFile
    "load": r"(?<=\b_cache_file\.)load\b|(?<=\bdef )load(?=\(self, key\))",
    "save": r"(?<=\b_cache_file\.)save\b|(?<=\bdef )save(?=\(self, key, data\))",
    # numba.extending.models
    "PrimitiveModel": r"\bPrimitiveModel\b",
}
"""Names of numba's that we use and that it does not document, as they stand in its sources."""


class Renaming(SourceFileLoader):
    """Loader of modules, those of numba with a name that is another."""

    expression = ""
    changed = 0

    def get_code(self, fullname):
        """Compile the source, of modules of numba with the other name in it, or load what is compiled."""
        if fullname.partition(".")[0] == "numba":
            source, times = re.subn(self.expression, "of_tomorrow", self.get_data(self.path).decode())
            if times:
                Renaming.changed += times
                return compile(source, self.path, "exec", dont_inherit=True)
        return super().get_code(fullname)


def main():
    """Take the name away, then extract."""
    name, clip = sys.argv[1:]
    Renaming.expression = EXPRESSIONS[name]
    loaders = (ExtensionFileLoader, EXTENSION_SUFFIXES), (Renaming, [".py"])
    sys.path_hooks.insert(0, FileFinder.path_hook(*loaders))
    sys.path_importer_cache.clear()

    import idt
    from benchmarks.matching import assert_same_tracks, reference
    from tests import golden

    assert_same_tracks(idt.extract(golden.video(clip)), reference(golden.golden_folder(clip)))

    from idt.jit import float8, kernel

    if not Renaming.changed:
        sys.exit(f"numba has no {name}")
    fell_back = {"files": not kernel._STORES, "vectors": float8._PRIMITIVE is None}
    sys.stdout.write(" ".join(what for what, fell in fell_back.items() if fell))


if __name__ == "__main__":
    main()
