"""Loads, stores and look-ups of `Float8` in arrays.

Arrays are flat and C-contiguous. Nothing is checked, and no index counts from the end.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from idt.jit.float8 import FLOAT, INDEX, INTEGERS, LANES, VECTOR, float8, shuffle

INT = ir.IntType(64)


def _pointer(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, value=array).data


def _address(builder, pointer, index):
    return builder.bitcast(builder.gep(pointer, [index]), VECTOR.as_pointer())


def _load(builder, pointer, index):
    loaded = builder.load(_address(builder, pointer, index))
    loaded.align = 4
    return loaded


@intrinsic
def load(typing, array, index):
    """Float8: array[index : index + 8]."""

    def generate(context, builder, signature, arguments):
        return _load(builder, _pointer(context, builder, signature.args[0], arguments[0]), arguments[1])

    return float8(array, types.int64), generate


@intrinsic
def store(typing, array, index, vector):
    """array[index : index + 8] = vector."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments[0])
        builder.store(arguments[2], _address(builder, pointer, arguments[1])).align = 4
        return context.get_dummy_value()

    return types.void(array, types.int64, float8), generate


@intrinsic(prefer_literal=True)
def load_rows(typing, array, index, step, count):
    """Float8, so many as ``count`` says, a literal: array[index + k · step : index + k · step + 8]."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments[0])
        at, rows = arguments[1], []
        for _ in range(signature.return_type.count):
            rows.append(_load(builder, pointer, at))
            at = builder.add(at, arguments[2])
        return context.make_tuple(builder, signature.return_type, rows)

    return types.UniTuple(float8, count.literal_value)(array, types.int64, types.int64, count), generate


@intrinsic
def store_rows(typing, array, index, step, rows):
    """array[index + k · step : index + k · step + 8] = rows[k] for every k."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments[0])
        at = arguments[1]
        for row in cgutils.unpack_tuple(builder, arguments[3]):
            builder.store(row, _address(builder, pointer, at)).align = 4
            at = builder.add(at, arguments[2])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, rows), generate


@intrinsic
def fetch(typing, array, index):
    """Have memory bring array[index] near, and what lies next to it (64 bytes), for when it is needed."""

    def generate(context, builder, signature, arguments):
        at = builder.gep(_pointer(context, builder, signature.args[0], arguments[0]), [arguments[1]])
        byte, flag = ir.IntType(8).as_pointer(), ir.Constant(INDEX, 1)
        function = ir.FunctionType(ir.VoidType(), [byte, INDEX, INDEX, INDEX])
        fetch = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0i8")
        # To be written, kept in all caches, data.
        builder.call(fetch, [builder.bitcast(at, byte), flag, ir.Constant(INDEX, 3), flag])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@intrinsic
def copy(typing, source, first, target, to, count):
    """target[to : to + count] = source[first : first + count], float32, which must not overlap."""

    def generate(context, builder, signature, arguments):
        into = builder.gep(_pointer(context, builder, signature.args[2], arguments[2]), [arguments[3]])
        begin = builder.gep(_pointer(context, builder, signature.args[0], arguments[0]), [arguments[1]])
        cgutils.raw_memcpy(builder, into, begin, arguments[4], context.get_abi_sizeof(FLOAT))
        return context.get_dummy_value()

    return types.void(source, types.int64, target, types.int64, types.int64), generate


@intrinsic
def item(typing, array, index):
    """array[index], without the question whether the index is negative."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments[0])
        return builder.load(builder.gep(pointer, [arguments[1]]))

    return array.dtype(array, types.int64), generate


@intrinsic
def store_places(typing, array, index, rows, width, columns):
    """array[index : index + 8] = rows · width + columns, int32; rows and columns Float8 of whole numbers."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments[0])
        rows, columns = (builder.fptosi(vector, INTEGERS) for vector in (arguments[2], arguments[4]))
        width = builder.insert_element(
            ir.Constant(INTEGERS, ir.Undefined), builder.trunc(arguments[3], INDEX), ir.Constant(INDEX, 0)
        )
        width = shuffle(builder, width, width, [0] * LANES)
        address = builder.bitcast(builder.gep(pointer, [arguments[1]]), INTEGERS.as_pointer())
        builder.store(builder.add(builder.mul(rows, width), columns), address).align = 4
        return context.get_dummy_value()

    return types.void(array, types.int64, float8, types.int64, float8), generate


def _look_up(context, builder, signature, arguments):
    """Addresses of array[k] for every k ≥ 0 of places[index : index + 8], from the arguments of an intrinsic."""
    array, places = (_pointer(context, builder, signature.args[k], arguments[k]) for k in (0, 1))
    for lane in range(LANES):
        # One by one, from memory to memory: no slower than the one instruction that newer processors have.
        place = builder.load(builder.gep(places, [builder.add(arguments[2], ir.Constant(INT, lane))]))
        yield builder.gep(array, [builder.zext(place, INT)])


@intrinsic
def look_up_pairs(typing, array, places, index):
    """Two Float8: array[k] and array[k + 1] for every k of places[index : index + 8], int32."""
    both = types.UniTuple(float8, 2)

    def generate(context, builder, signature, arguments):
        pairs = []
        for at in _look_up(context, builder, signature, arguments):
            pairs.append(builder.load(builder.bitcast(at, ir.VectorType(FLOAT, 2).as_pointer())))
            pairs[-1].align = 4
        while len(pairs) > 1:
            pairs = [
                shuffle(builder, left, right, list(range(2 * left.type.count)))
                for left, right in zip(pairs[::2], pairs[1::2], strict=True)
            ]
        (all_pairs,) = pairs
        numbers = [shuffle(builder, all_pairs, all_pairs, list(range(k, 2 * LANES, 2))) for k in (0, 1)]
        return context.make_tuple(builder, signature.return_type, numbers)

    return both(array, places, types.int64), generate


@intrinsic
def look_up_bytes(typing, pixels, places, index):
    """Four Float8: the bytes, lowest first, of pixels[places[index : index + 8]], int32 both."""
    four = types.UniTuple(float8, 4)

    def generate(context, builder, signature, arguments):
        packed = ir.Constant(INTEGERS, ir.Undefined)
        for lane, at in enumerate(_look_up(context, builder, signature, arguments)):
            packed = builder.insert_element(packed, builder.load(at), ir.Constant(INDEX, lane))
        of_bytes = []
        for shift in (0, 8, 16, 24):
            shifted = builder.lshr(packed, ir.Constant(INTEGERS, [shift] * LANES))
            byte = builder.and_(shifted, ir.Constant(INTEGERS, [255] * LANES))
            of_bytes.append(builder.sitofp(byte, VECTOR))
        return context.make_tuple(builder, signature.return_type, of_bytes)

    return four(pixels, places, types.int64), generate
