"""Loads, stores and look-ups of `Float8` in arrays.

Arrays are flat and C-contiguous. Nothing is checked, and no index counts from the end.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from idt.jit.float8 import (
    FLOAT,
    FLOAT_VECTOR,
    INT32,
    INT32_VECTOR,
    INT64,
    LANES,
    adapt_generator,
    call_llvm,
    float8,
    from_lanes,
    shuffle,
    spread,
)

BYTES = ir.IntType(8).as_pointer()


def _load(builder, pointer, kind=FLOAT_VECTOR):
    loaded = builder.load(builder.bitcast(pointer, kind.as_pointer()))
    loaded.align = 4
    return loaded


def _store(builder, pointer, vector):
    builder.store(vector, builder.bitcast(pointer, vector.type.as_pointer())).align = 4


def _rows(builder, pointer, step, count):
    """Build the addresses of ``count`` rows, ``step`` numbers apart."""
    for _ in range(count):
        yield pointer
        pointer = builder.gep(pointer, [step])


@intrinsic
def load(typing, array, index):
    """Return array[index : index + 8], a Float8."""

    def build(builder, array, index):
        return _load(builder, builder.gep(array, [index]))

    return float8(array, types.int64), adapt_generator(build)


@intrinsic
def store(typing, array, index, vector):
    """Write array[index : index + 8] = vector."""

    def build(builder, array, index, vector):
        _store(builder, builder.gep(array, [index]), vector)

    return types.void(array, types.int64, float8), adapt_generator(build)


@intrinsic(prefer_literal=True)
def load_rows(typing, array, index, step, count):
    """Return array[index + k · step : index + k · step + 8] for every k below ``count``, a literal."""
    rows = count.literal_value

    def build(builder, array, index, step, count):
        return [_load(builder, pointer) for pointer in _rows(builder, builder.gep(array, [index]), step, rows)]

    return types.UniTuple(float8, rows)(array, types.int64, types.int64, count), adapt_generator(build)


@intrinsic
def store_rows(typing, array, index, step, rows):
    """Write array[index + k · step : index + k · step + 8] = rows[k] for every k."""

    def build(builder, array, index, step, rows):
        for pointer, row in zip(_rows(builder, builder.gep(array, [index]), step, len(rows)), rows, strict=True):
            _store(builder, pointer, row)

    return types.void(array, types.int64, types.int64, rows), adapt_generator(build)


@intrinsic
def prefetch(typing, array, index):
    """Prefetch the cache line of array[index] (64 bytes)."""

    def build(builder, array, index):
        address = builder.bitcast(builder.gep(array, [index]), BYTES)
        # Arguments of LLVM's prefetch: for writing, kept in all caches, data.
        call_llvm(builder, "llvm.prefetch.p0i8", ir.VoidType(), address, INT32(1), INT32(3), INT32(1))

    return types.void(array, types.int64), adapt_generator(build)


@intrinsic
def copy(typing, source, first, target, to, count):
    """Write target[to : to + count] = source[first : first + count], float32; the two must not overlap."""

    def build(builder, source, first, target, to, count):
        into, begin = (builder.bitcast(builder.gep(*at), BYTES) for at in ((target, [to]), (source, [first])))
        size, volatile = builder.mul(count, INT64(4)), ir.IntType(1)(0)
        call_llvm(builder, "llvm.memcpy.p0i8.p0i8.i64", ir.VoidType(), into, begin, size, volatile)

    return types.void(source, types.int64, target, types.int64, types.int64), adapt_generator(build)


@intrinsic
def item(typing, array, index):
    """Return array[index] without a check for a negative index."""

    def build(builder, array, index):
        return builder.load(builder.gep(array, [index]))

    return array.dtype(array, types.int64), adapt_generator(build)


@intrinsic
def store_indices(typing, array, index, rows, width, columns):
    """Write array[index : index + 8] = rows · width + columns, int32; rows and columns Float8 of whole numbers."""

    def build(builder, array, index, rows, width, columns):
        rows, columns = (builder.fptosi(vector, INT32_VECTOR) for vector in (rows, columns))
        first = builder.mul(rows, spread(builder, builder.trunc(width, INT32)))
        _store(builder, builder.gep(array, [index]), builder.add(first, columns))

    return types.void(array, types.int64, float8, types.int64, float8), adapt_generator(build)


def _look_up(builder, array, indices, index):
    """Build the addresses of array[k] for the eight k of indices[index : index + 8], none of which may be negative."""
    for lane in range(LANES):
        # Eight scalar loads, because the gather instruction of newer processors is no faster.
        number = builder.load(builder.gep(indices, [builder.add(index, INT64(lane))]))
        yield builder.gep(array, [builder.zext(number, INT64)])


@intrinsic
def look_up_pairs(typing, array, indices, index):
    """Return two Float8: array[k] and array[k + 1] for every k of indices[index : index + 8], int32."""

    def build(builder, array, indices, index):
        pairs = [_load(builder, at, ir.VectorType(FLOAT, 2)) for at in _look_up(builder, array, indices, index)]
        while len(pairs) > 1:
            joined = list(range(2 * pairs[0].type.count))
            pairs = [shuffle(builder, *two, joined) for two in zip(pairs[::2], pairs[1::2], strict=True)]
        return [shuffle(builder, *pairs, *pairs, list(range(k, 2 * LANES, 2))) for k in (0, 1)]

    return types.UniTuple(float8, 2)(array, indices, types.int64), adapt_generator(build)


@intrinsic
def look_up_bytes(typing, pixels, indices, index):
    """Return four Float8: the bytes, lowest first, of pixels[indices[index : index + 8]], int32 both."""

    def build(builder, pixels, indices, index):
        packed = from_lanes(builder, [builder.load(at) for at in _look_up(builder, pixels, indices, index)])
        shifted = [builder.lshr(packed, ir.Constant(INT32_VECTOR, [shift] * LANES)) for shift in (0, 8, 16, 24)]
        lowest = ir.Constant(INT32_VECTOR, [255] * LANES)
        return [builder.sitofp(builder.and_(byte, lowest), FLOAT_VECTOR) for byte in shifted]

    return types.UniTuple(float8, 4)(pixels, indices, types.int64), adapt_generator(build)
