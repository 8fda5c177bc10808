import subprocess
import sys

import numpy as np
from threadpoolctl import threadpool_info

from idt.workers.blas import one_openmp_thread, product


def threads_of(api):
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == api}


class Left:
    """Stands for a matrix, and tells what its product is computed with."""

    def __matmul__(self, right):
        return threads_of("blas")


def test_small_integers_multiply_exactly():
    np.testing.assert_array_equal(product(np.float32([[1, 2], [3, 4]]), np.float32([[5], [7]])), [[19], [43]])


def test_products_are_computed_by_one_thread():
    before = threads_of("blas")
    assert product(Left(), None) == {1}
    assert threads_of("blas") == before


def test_loops_of_libraries_have_one_thread_within_the_block():
    import sklearn.cluster  # noqa: F401  # loads OpenMP

    before = threads_of("openmp")
    with one_openmp_thread():
        assert threads_of("openmp") == {1}
    assert threads_of("openmp") == before


def test_a_library_that_is_loaded_later_is_limited_too():
    code = """
from threadpoolctl import threadpool_info
from idt.workers.blas import one_blas_thread, one_openmp_thread
def threads_of(api):
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == api}
with one_blas_thread():
    pass
before = len(threadpool_info())
import sklearn.cluster
assert len(threadpool_info()) > before
with one_openmp_thread(), one_blas_thread():
    print(threads_of("openmp"), threads_of("blas"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "{1} {1}\n"
