"""Memory that was freed is used again without asking the system for it."""

import platform
import subprocess
import sys

import pytest

# Ten pieces of 3 MB, as a frame has, four times after the first.
ROUNDS = """
import resource, sys
import numpy as np
from idt.workers import memory
if sys.argv[1] == "keep":
    memory.keep_freed_memory()
for round in range(5):
    if round == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [np.ones(3 << 20, np.uint8) for _ in range(10)]
    del pieces
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_faults(word):
    done = subprocess.run([sys.executable, "-c", ROUNDS, word], check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep freed memory")
def test_freed_memory_is_kept_for_the_next_frame():
    assert 5 * count_faults("keep") < count_faults("forget")
