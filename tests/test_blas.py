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
