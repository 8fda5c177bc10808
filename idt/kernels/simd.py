"""Vectors by hand, for the two places where the compiler finds none: a gather meets a store, a sum crosses its lanes.

They are written as LLVM's portable vectors, which every processor that numba supports can run: as one instruction
where it has vectors of eight numbers, as several where it has not. The order of the additions is fixed, so the result
is the same everywhere. Arrays are flat, C-contiguous float32; nothing is checked.

numba keeps compiled kernels by the age of their own file: after an edit here, empty the caches of those who use it.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 8

_FLOAT = ir.FloatType()
_INT = ir.IntType(64)
_INDEX = ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, LANES)


def _pointer(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, value=array).data


def _address(builder, pointer, index):
    return builder.bitcast(builder.gep(pointer, [index]), _VECTOR.as_pointer())


def _load(builder, pointer, index):
    loaded = builder.load(_address(builder, pointer, index))
    loaded.align = 4
    return loaded


def _store(builder, vector, pointer, index):
    builder.store(vector, _address(builder, pointer, index)).align = 4


def _shuffle(builder, vector, lanes):
    mask = ir.Constant(ir.VectorType(_INDEX, len(lanes)), lanes)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _everywhere(builder, number):
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(_INDEX, 0))
    return _shuffle(builder, single, [0] * LANES)


@intrinsic
def blend_corners(typing, out, at, source, first, row, upper_left, upper_right, lower_left, lower_right):
    """out[at : at + 8] = the weighted sum of four pixels of 8 numbers: source[first :], its right neighbour's, and
    those ``row`` numbers further.
    """  # fmt: skip
    signature = types.void(out, types.int64, source, types.int64, types.int64, *(types.float32,) * 4)

    def generate(context, builder, signature, arguments):
        out, at, source, first, row, *weights = arguments
        pointer = _pointer(context, builder, signature.args[2], source)
        right = builder.add(first, ir.Constant(_INT, LANES))
        total = None
        for index, weight in zip(
            (first, right, builder.add(first, row), builder.add(right, row)), weights, strict=True
        ):
            part = builder.fmul(_load(builder, pointer, index), _everywhere(builder, weight), flags=("contract",))
            total = part if total is None else builder.fadd(total, part, flags=("contract",))
        _store(builder, total, _pointer(context, builder, signature.args[0], out), at)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def sum16(typing, source, first):
    """source[first] + … + source[first + 15]: the two halves lane by lane, then the lanes 4, 2 and 1 apart."""
    signature = types.float32(source, types.int64)

    def generate(context, builder, signature, arguments):
        source, first = arguments
        pointer = _pointer(context, builder, signature.args[0], source)
        second = builder.add(first, ir.Constant(_INT, LANES))
        total = builder.fadd(_load(builder, pointer, first), _load(builder, pointer, second))
        for apart in (4, 2, 1):
            total = builder.fadd(total, _shuffle(builder, total, [(k + apart) % LANES for k in range(LANES)]))
        return builder.extract_element(total, ir.Constant(_INDEX, 0))

    return signature, generate
