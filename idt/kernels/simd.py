"""Vectors by hand, for the two places where the compiler finds none: a gather meets a store, a sum crosses its lanes.

They are written as LLVM's portable vectors, which every processor that numba supports can run: as one instruction
where it has vectors of eight numbers, as several where it has not. The order of the additions is fixed, so the result
is the same everywhere. Arrays are flat, C-contiguous float32; nothing is checked.

numba keeps compiled kernels by the age of their own file: after an edit here, empty the caches of those who use it.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8

_FUSED = ("contract",)

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
            part = builder.fmul(_load(builder, pointer, index), _everywhere(builder, weight), flags=_FUSED)
            total = part if total is None else builder.fadd(total, part, flags=_FUSED)
        _store(builder, total, _pointer(context, builder, signature.args[0], out), at)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def slide_shares(typing, columns, at, magnitude, angle, entering, leaving):
    """columns[at : at + 8] += what vector ``entering`` shares among the bins 0 to 7, less what ``leaving`` shares.

    A vector's angle t is counted in bins, 0 to 8. The share of bin b falls linearly from 1 to 0 with the distance of
    one bin: max(0, 1 − |t − b|); of bin 0, which is bin 8 as well, max(0, |t − 4| − 3).
    """
    signature = types.void(columns, types.int64, magnitude, angle, types.int64, types.int64)
    centre = ir.Constant(_VECTOR, [4.0, *range(1, LANES)])
    slope = ir.Constant(_VECTOR, [1.0] + [-1.0] * (LANES - 1))
    height = ir.Constant(_VECTOR, [-3.0] + [1.0] * (LANES - 1))

    def generate(context, builder, signature, arguments):
        columns, at, magnitude, angle, entering, leaving = arguments
        columns = _pointer(context, builder, signature.args[0], columns)
        magnitude = _pointer(context, builder, signature.args[2], magnitude)
        angle = _pointer(context, builder, signature.args[3], angle)
        absolute = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.fabs.v{LANES}f32"
        )
        zero = ir.Constant(_VECTOR, [0.0] * LANES)

        def shared(index):
            turn = _everywhere(builder, builder.load(builder.gep(angle, [index])))
            length = _everywhere(builder, builder.load(builder.gep(magnitude, [index])))
            away = builder.call(absolute, [builder.fsub(turn, centre)])
            share = builder.fadd(builder.fmul(away, slope, flags=_FUSED), height, flags=_FUSED)
            share = builder.select(builder.fcmp_ordered(">", share, zero), share, zero)
            return builder.fmul(share, length, flags=_FUSED)

        total = _load(builder, columns, at)
        total = builder.fadd(total, shared(entering), flags=_FUSED)
        total = builder.fsub(total, shared(leaving), flags=_FUSED)
        _store(builder, total, columns, at)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def sum_columns(typing, columns, first, count, out, at_0, at_1, at_2, at_3):
    """Sum ``count`` columns of four times 8 numbers, from columns[first] on, into four places of ``out``."""
    signature = types.void(columns, types.int64, types.int64, out, *(types.int64,) * 4)

    def generate(context, builder, signature, arguments):
        columns, first, count, out, *places = arguments
        columns = _pointer(context, builder, signature.args[0], columns)
        out = _pointer(context, builder, signature.args[3], out)
        column = ir.VectorType(_FLOAT, 4 * LANES)
        total = cgutils.alloca_once_value(builder, ir.Constant(column, [0.0] * 4 * LANES))
        with cgutils.for_range(builder, count) as loop:
            index = builder.add(first, builder.mul(loop.index, ir.Constant(_INT, 4 * LANES)))
            here = builder.load(builder.bitcast(builder.gep(columns, [index]), column.as_pointer()))
            here.align = 4
            builder.store(builder.fadd(builder.load(total), here), total)
        for k, place in enumerate(places):
            part = _shuffle(builder, builder.load(total), list(range(k * LANES, (k + 1) * LANES)))
            _store(builder, part, out, place)
        return context.get_dummy_value()

    return signature, generate
