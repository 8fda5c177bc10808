"""np.empty, np.zeros, min and max for kernels.

numba's own are a function each for all types that they are met with, compiled by every process: an eighth of the time
that all kernels take.
"""

from llvmlite.ir import Constant
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_ALIGNMENT = 32


def _signature(shape, dtype):
    if not isinstance(shape, types.BaseTuple):
        return types.Array(dtype.dtype, 1, "C")(types.int64, dtype)
    return types.Array(dtype.dtype, shape.count, "C")(types.UniTuple(types.int64, shape.count), dtype)


def _allocate(context, builder, signature, arguments):
    """An array, and its size in bytes."""
    # Needs what only a compiler needs.
    from numba.np.arrayobj import populate_array

    shape = arguments[:1]
    if isinstance(signature.args[0], types.BaseTuple):
        shape = cgutils.unpack_tuple(builder, arguments[0])
    number = context.get_data_type(signature.return_type.dtype)
    strides = [Constant(context.get_value_type(types.int64), context.get_abi_sizeof(number))]
    for size in shape[::-1]:
        strides.insert(0, builder.mul(strides[0], size))
    size, *strides = strides
    memory = context.nrt.meminfo_alloc_aligned(builder, size, _ALIGNMENT)
    data = builder.bitcast(context.nrt.meminfo_data(builder, memory), number.as_pointer())
    array = context.make_array(signature.return_type)(context, builder)
    populate_array(array, data, shape, strides, strides[-1], memory)
    return array, size


@intrinsic
def empty(typing, shape, dtype):
    """np.empty(shape, dtype)."""

    def generate(context, builder, signature, arguments):
        array, _ = _allocate(context, builder, signature, arguments)
        return array._getvalue()

    return _signature(shape, dtype), generate


@intrinsic
def zeros(typing, shape, dtype):
    """np.zeros(shape, dtype)."""

    def generate(context, builder, signature, arguments):
        array, size = _allocate(context, builder, signature, arguments)
        cgutils.memset(builder, array.data, size, 0)
        return array._getvalue()

    return _signature(shape, dtype), generate


def _choose(comparison):
    """Of two numbers, the second if it compares so with the first, else the first, as min and max do."""

    @intrinsic
    def choose(typing, first, second):
        number = typing.unify_types(types.unliteral(first), types.unliteral(second))

        def generate(context, builder, signature, arguments):
            first, second = arguments
            compare = builder.fcmp_ordered if isinstance(number, types.Float) else builder.icmp_signed
            return builder.select(compare(comparison, second, first), second, first)

        return number(number, number), generate

    return choose


minimum = _choose("<")
"""min(first, second) of signed integers or floating-point numbers."""
maximum = _choose(">")
"""max(first, second) of signed integers or floating-point numbers."""
