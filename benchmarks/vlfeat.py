"""VLFeat's mixtures and Fisher vectors through ctypes: Debian's ``libvlfeat1``, release 0.9.21, on one thread."""

import ctypes
from ctypes import c_char_p, c_double, c_int, c_size_t, c_void_p

import numpy as np

TYPES = {np.dtype(np.float32): (1, ctypes.c_float), np.dtype(np.float64): (2, ctypes.c_double)}
CUSTOM_START = 2  # VlGMMCustom
FAST = 4  # VL_FISHER_FLAG_FAST: hard assignment

_SIGNATURES = {
    "vl_get_version_string": (c_char_p,),
    "vl_set_num_threads": (None, c_size_t),
    "vl_set_simd_enabled": (None, c_int),
    "vl_fisher_encode": (
        *(c_size_t, c_void_p, c_int, c_void_p, c_size_t, c_size_t, c_void_p, c_void_p, c_void_p, c_size_t, c_int),
    ),
    "vl_gmm_new": (c_void_p, c_int, c_size_t, c_size_t),
    "vl_gmm_delete": (None, c_void_p),
    "vl_gmm_set_initialization": (None, c_void_p, c_int),
    "vl_gmm_set_means": (None, c_void_p, c_void_p),
    "vl_gmm_set_covariances": (None, c_void_p, c_void_p),
    "vl_gmm_set_priors": (None, c_void_p, c_void_p),
    "vl_gmm_set_covariance_lower_bound": (None, c_void_p, c_double),
    "vl_gmm_set_max_num_iterations": (None, c_void_p, c_size_t),
    "vl_gmm_em": (c_double, c_void_p, c_void_p, c_size_t),
    "vl_gmm_get_means": (c_void_p, c_void_p),
    "vl_gmm_get_covariances": (c_void_p, c_void_p),
    "vl_gmm_get_priors": (c_void_p, c_void_p),
}


def load(*, simd=True):
    """Load the library; None if it is not installed (``apt-get install libvlfeat1``)."""
    try:
        library = ctypes.CDLL("libvl.so.1")
    except OSError:
        return None
    for name, (result, *arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.vl_set_num_threads(1)
    library.vl_set_simd_enabled(simd)
    return library


def version():
    """Return the release of the library, to be stated beside its figures."""
    library = load()
    return "not installed" if library is None else library.vl_get_version_string().decode()


def fisher_vector(library, rows, means, variances, weights, *, flags=0):
    """Compute the first and the second order, not normalised, in the precision of ``rows``."""
    code, _ = TYPES[rows.dtype]
    means, variances, weights = (np.ascontiguousarray(part, rows.dtype) for part in (means, variances, weights))
    rows = np.ascontiguousarray(rows)
    n_components, n_features = means.shape
    out = np.zeros(2 * means.size, rows.dtype)
    library.vl_fisher_encode(
        out.ctypes.data,
        code,
        means.ctypes.data,
        n_features,
        n_components,
        variances.ctypes.data,
        weights.ctypes.data,
        rows.ctypes.data,
        len(rows),
        flags,
    )
    return out


def em(library, rows, means, variances, weights, n_iter, *, variance_floor=1e-6):
    """Run EM from a start; return mean log-likelihood, means, variances and weights after ``n_iter`` iterations."""
    code, number = TYPES[rows.dtype]
    rows = np.ascontiguousarray(rows)
    shape = np.shape(means)
    start = [np.ascontiguousarray(part, rows.dtype) for part in (means, variances, weights)]
    gmm = library.vl_gmm_new(code, shape[1], shape[0])
    try:
        library.vl_gmm_set_initialization(gmm, CUSTOM_START)
        library.vl_gmm_set_max_num_iterations(gmm, n_iter)
        library.vl_gmm_set_covariance_lower_bound(gmm, variance_floor)
        for name, part in zip(("means", "covariances", "priors"), start, strict=True):
            getattr(library, f"vl_gmm_set_{name}")(gmm, part.ctypes.data)
        log_likelihood = library.vl_gmm_em(gmm, rows.ctypes.data, len(rows)) / len(rows)
        found = []
        for name, part in zip(("means", "covariances", "priors"), start, strict=True):
            address = ctypes.cast(getattr(library, f"vl_gmm_get_{name}")(gmm), ctypes.POINTER(number))
            found.append(np.ctypeslib.as_array(address, part.shape).copy())
    finally:
        library.vl_gmm_delete(gmm)
    return log_likelihood, *found
