"""Vectors by hand, for the loops in which the compiler finds none: a gather meets a store, a sum crosses its lanes,
more arrays meet than it can tell apart.

`Float8` is eight float32 numbers as one value that adds, subtracts, multiplies and divides. It is one of LLVM's
portable vectors, which every processor that numba supports can run: a register where it has such, several where it has
not. Each operation is rounded as the plain one (a product may be fused with a sum), so the result is the same
everywhere. Arrays are flat, C-contiguous; nothing is checked, and no index counts from the end.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8

_FLOAT = ir.FloatType()
_INDEX = ir.IntType(32)
_INT = ir.IntType(64)
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INTEGERS = ir.VectorType(_INDEX, LANES)
_NOTHING = ir.Constant(_VECTOR, ir.Undefined)
_FUSED = ("contract",)


class Float8(types.Type):
    """The type of eight float32 numbers in compiled code."""

    def __init__(self):
        super().__init__(name="Float8")


float8 = Float8()


@register_model(Float8)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, of_type):
        super().__init__(manager, of_type, _VECTOR)


def _make_operator(symbol, instruction):
    """Teach numba an operator between two `Float8`."""

    @infer_global(symbol)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            return signature(float8, float8, float8) if args == (float8, float8) else None

    @lower_builtin(symbol, Float8, Float8)
    def _generate(context, builder, signature, arguments):
        return getattr(builder, instruction)(*arguments, flags=_FUSED)


for _symbol, _instruction in (
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")
):  # fmt: skip
    _make_operator(_symbol, _instruction)


def _pointer(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, value=array).data


def _address(builder, pointer, index):
    return builder.bitcast(builder.gep(pointer, [index]), _VECTOR.as_pointer())


def _load(builder, pointer, index):
    loaded = builder.load(_address(builder, pointer, index))
    loaded.align = 4
    return loaded


def _shuffle(builder, first, second, lanes):
    """Lanes of two vectors, counted through both."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_INDEX, len(lanes)), lanes))


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
        byte, flag = ir.IntType(8).as_pointer(), ir.Constant(_INDEX, 1)
        function = ir.FunctionType(ir.VoidType(), [byte, _INDEX, _INDEX, _INDEX])
        fetch = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0i8")
        # To be written, kept in all caches, data.
        builder.call(fetch, [builder.bitcast(at, byte), flag, ir.Constant(_INDEX, 3), flag])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@intrinsic
def copy(typing, source, first, target, to, count):
    """target[to : to + count] = source[first : first + count], float32, which must not overlap."""

    def generate(context, builder, signature, arguments):
        into = builder.gep(_pointer(context, builder, signature.args[2], arguments[2]), [arguments[3]])
        begin = builder.gep(_pointer(context, builder, signature.args[0], arguments[0]), [arguments[1]])
        cgutils.raw_memcpy(builder, into, begin, arguments[4], context.get_abi_sizeof(_FLOAT))
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
def everywhere(typing, number):
    """Float8: one number eight times."""

    def generate(context, builder, signature, arguments):
        single = builder.insert_element(_NOTHING, arguments[0], ir.Constant(_INDEX, 0))
        return _shuffle(builder, single, _NOTHING, [0] * LANES)

    return float8(types.float32), generate


@intrinsic
def fused(typing, a, b, c):
    """The sum a · b + c of float32 numbers, rounded once on any processor; loops of it become vectors by themselves."""

    def generate(context, builder, signature, arguments):
        function = ir.FunctionType(_FLOAT, [_FLOAT] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, function, "llvm.fma.f32"), arguments)

    return types.float32(types.float32, types.float32, types.float32), generate


def _smaller_and_greater(builder, first, second):
    smaller = builder.select(builder.fcmp_ordered("<", first, second), first, second)
    return smaller, builder.select(builder.fcmp_ordered(">", first, second), first, second)


def network(comparators, results):
    """Return a function that sorts a tuple of Float8, lane by lane, by the sorting network of ``comparators``.

    A comparator is a pair of places: the smaller number goes to the first, the greater to the second. ``results`` are
    the places that the function returns. A comparator that no result depends on is left out.
    """

    @intrinsic
    def sort(typing, rows):
        def generate(context, builder, signature, arguments):
            at = cgutils.unpack_tuple(builder, arguments[0])
            for one, other in comparators:
                at[one], at[other] = _smaller_and_greater(builder, at[one], at[other])
            return context.make_tuple(builder, signature.return_type, [at[place] for place in results])

        return types.UniTuple(float8, len(results))(rows), generate

    return sort


@intrinsic
def smaller(typing, first, second):
    """Float8: the smaller of two, lane by lane."""

    def generate(context, builder, signature, arguments):
        return _smaller_and_greater(builder, *arguments)[0]

    return float8(float8, float8), generate


@intrinsic
def greater(typing, first, second):
    """Float8: the greater of two, lane by lane."""

    def generate(context, builder, signature, arguments):
        return _smaller_and_greater(builder, *arguments)[1]

    return float8(float8, float8), generate


@intrinsic
def equal(typing, first, second):
    """Float8: 1 where two are the same number, else 0."""

    def generate(context, builder, signature, arguments):
        return builder.uitofp(builder.fcmp_ordered("==", *arguments), _VECTOR)

    return float8(float8, float8), generate


@intrinsic
def transposed(typing, a, b, c, d, e, f, g, h):
    """Eight Float8: the first numbers of a … h, their second ones, and so on."""
    rows = types.UniTuple(float8, LANES)

    def generate(context, builder, signature, rows):
        # Neighbours are interleaved, then neighbouring pairs, then halves: log₂ 8 steps.
        singles = [_shuffle(builder, rows[i], rows[i + 1], lanes) for i in (0, 2, 4, 6) for lanes in _SINGLES]
        pairs = [_shuffle(builder, singles[i], singles[i + 2], lanes) for i in (0, 1, 4, 5) for lanes in _PAIRS]
        halves = [_shuffle(builder, pairs[i], pairs[i + 4], lanes) for lanes in _HALVES for i in range(4)]
        return context.make_tuple(builder, signature.return_type, halves)

    return rows(*(float8,) * LANES), generate


# Within each half of a vector, as processors can do it in one step.
_SINGLES = [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]
_PAIRS = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
_HALVES = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]


@intrinsic
def numbers(typing, a, b, c, d, e, f, g, h):
    """Float8: eight numbers."""

    def generate(context, builder, signature, arguments):
        vector = _NOTHING
        for lane, number in enumerate(arguments):
            vector = builder.insert_element(vector, number, ir.Constant(_INDEX, lane))
        return vector

    return float8(*(types.float32,) * LANES), generate


def _of_each(name):
    """A function of a Float8 that LLVM knows by this name, lane by lane."""

    @intrinsic
    def function(typing, vector):
        def generate(context, builder, signature, arguments):
            function = ir.FunctionType(_VECTOR, [_VECTOR])
            called = cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.v8f32")
            return builder.call(called, arguments)

        return float8(float8), generate

    return function


absolute = _of_each("fabs")
"""Float8: the magnitudes."""
root = _of_each("sqrt")
"""Float8: the square roots."""
rounded = _of_each("rint")
"""Float8: the nearest whole numbers, the even one of two."""


@intrinsic
def total(typing, vector):
    """The sum of the eight numbers, by halves."""

    def generate(context, builder, signature, arguments):
        (left,) = arguments
        for half in (4, 2, 1):
            left = builder.fadd(left, _shuffle(builder, left, left, [k + half for k in range(half)] * (LANES // half)))
        return builder.extract_element(left, ir.Constant(_INDEX, 0))

    return types.float32(float8), generate


@intrinsic
def whole(typing, vector):
    """Float8: the whole parts."""

    def generate(context, builder, signature, arguments):
        return builder.sitofp(builder.fptosi(arguments[0], _INTEGERS), _VECTOR)

    return float8(float8), generate


@intrinsic
def store_places(typing, array, index, rows, width, columns):
    """array[index : index + 8] = rows · width + columns, int32; rows and columns Float8 of whole numbers."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], arguments[0])
        rows, columns = (builder.fptosi(vector, _INTEGERS) for vector in (arguments[2], arguments[4]))
        width = builder.insert_element(
            ir.Constant(_INTEGERS, ir.Undefined), builder.trunc(arguments[3], _INDEX), ir.Constant(_INDEX, 0)
        )
        width = _shuffle(builder, width, width, [0] * LANES)
        address = builder.bitcast(builder.gep(pointer, [arguments[1]]), _INTEGERS.as_pointer())
        builder.store(builder.add(builder.mul(rows, width), columns), address).align = 4
        return context.get_dummy_value()

    return types.void(array, types.int64, float8, types.int64, float8), generate


def _look_up(context, builder, signature, arguments):
    """Addresses of array[k] for every k ≥ 0 of places[index : index + 8], from the arguments of an intrinsic."""
    array, places = (_pointer(context, builder, signature.args[k], arguments[k]) for k in (0, 1))
    for lane in range(LANES):
        # One by one, from memory to memory: no slower than the one instruction that newer processors have.
        place = builder.load(builder.gep(places, [builder.add(arguments[2], ir.Constant(_INT, lane))]))
        yield builder.gep(array, [builder.zext(place, _INT)])


@intrinsic
def look_up_pairs(typing, array, places, index):
    """Two Float8: array[k] and array[k + 1] for every k of places[index : index + 8], int32."""
    both = types.UniTuple(float8, 2)

    def generate(context, builder, signature, arguments):
        pairs = []
        for at in _look_up(context, builder, signature, arguments):
            pairs.append(builder.load(builder.bitcast(at, ir.VectorType(_FLOAT, 2).as_pointer())))
            pairs[-1].align = 4
        while len(pairs) > 1:
            pairs = [
                _shuffle(builder, left, right, list(range(2 * left.type.count)))
                for left, right in zip(pairs[::2], pairs[1::2], strict=True)
            ]
        (all_pairs,) = pairs
        numbers = [_shuffle(builder, all_pairs, all_pairs, list(range(k, 2 * LANES, 2))) for k in (0, 1)]
        return context.make_tuple(builder, signature.return_type, numbers)

    return both(array, places, types.int64), generate


@intrinsic
def look_up_bytes(typing, pixels, places, index):
    """Four Float8: the bytes, lowest first, of pixels[places[index : index + 8]], int32 both."""
    four = types.UniTuple(float8, 4)

    def generate(context, builder, signature, arguments):
        packed = ir.Constant(_INTEGERS, ir.Undefined)
        for lane, at in enumerate(_look_up(context, builder, signature, arguments)):
            packed = builder.insert_element(packed, builder.load(at), ir.Constant(_INDEX, lane))
        of_bytes = []
        for shift in (0, 8, 16, 24):
            shifted = builder.lshr(packed, ir.Constant(_INTEGERS, [shift] * LANES))
            byte = builder.and_(shifted, ir.Constant(_INTEGERS, [255] * LANES))
            of_bytes.append(builder.sitofp(byte, _VECTOR))
        return context.make_tuple(builder, signature.return_type, of_bytes)

    return four(pixels, places, types.int64), generate
