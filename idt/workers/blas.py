"""One thread for the linear algebra of numpy and scipy, so that the last bits do not depend on the number of cores."""

import functools
import threading
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

_alone = threading.RLock()
_controller = functools.cache(ThreadpoolController)


@contextmanager
def one_blas_thread():
    """Limit BLAS and LAPACK to one thread within the block.

    The limit holds for the whole process, so only one block runs at a time.
    """
    with _alone, _controller().limit(limits=1, user_api="blas"):
        yield
