"""Explicit vectors of eight float32 numbers, for loops that the compiler does not vectorise.

The compiler gives up on loops that mix look-ups with stores, sum across lanes, or use more arrays than it can prove to
be different.

`Float8` is eight float32 numbers as one value that adds, subtracts, multiplies and divides. It is one of LLVM's
portable vectors, which every processor that numba supports can run, in one register or in several. Each operation is
rounded as the scalar operation is (a product may be fused with a sum), so the result is the same everywhere.
`idt.jit.float8_memory` loads and stores it.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8

FLOAT = ir.FloatType()
INDEX = ir.IntType(32)
VECTOR = ir.VectorType(FLOAT, LANES)
INTEGERS = ir.VectorType(INDEX, LANES)
NOTHING = ir.Constant(VECTOR, ir.Undefined)
_FUSED = ("contract",)


class Float8(types.Type):
    """The type of eight float32 numbers in compiled code."""

    def __init__(self):
        super().__init__(name="Float8")


float8 = Float8()


@register_model(Float8)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, of_type):
        super().__init__(manager, of_type, VECTOR)


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


def shuffle(builder, first, second, lanes):
    """Build ``lanes`` of the vectors ``first`` and ``second``, counted through both, with ``builder``."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(INDEX, len(lanes)), lanes))


@intrinsic
def everywhere(typing, number):
    """Float8: one number eight times."""

    def generate(context, builder, signature, arguments):
        single = builder.insert_element(NOTHING, arguments[0], ir.Constant(INDEX, 0))
        return shuffle(builder, single, NOTHING, [0] * LANES)

    return float8(types.float32), generate


@intrinsic
def fused(typing, a, b, c):
    """The sum a · b + c of float32 numbers, rounded once on any processor; loops of it become vectors by themselves."""

    def generate(context, builder, signature, arguments):
        function = ir.FunctionType(FLOAT, [FLOAT] * 3)
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
        return builder.uitofp(builder.fcmp_ordered("==", *arguments), VECTOR)

    return float8(float8, float8), generate


@intrinsic
def transposed(typing, rows):
    """Return a tuple of eight Float8 transposed: the first numbers of all rows, their second ones, and so on."""

    def generate(context, builder, signature, arguments):
        rows = cgutils.unpack_tuple(builder, arguments[0])
        # Neighbours are interleaved, then neighbouring pairs, then halves: log₂ 8 steps.
        singles = [shuffle(builder, rows[i], rows[i + 1], lanes) for i in (0, 2, 4, 6) for lanes in _SINGLES]
        pairs = [shuffle(builder, singles[i], singles[i + 2], lanes) for i in (0, 1, 4, 5) for lanes in _PAIRS]
        halves = [shuffle(builder, pairs[i], pairs[i + 4], lanes) for lanes in _HALVES for i in range(4)]
        return context.make_tuple(builder, signature.return_type, halves)

    return types.UniTuple(float8, LANES)(rows), generate


# Within each half of a vector, as processors can do it in one step.
_SINGLES = [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]
_PAIRS = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
_HALVES = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]


@intrinsic
def numbers(typing, lanes):
    """Return a tuple of eight float32 numbers as a Float8."""

    def generate(context, builder, signature, arguments):
        vector = NOTHING
        for lane, number in enumerate(cgutils.unpack_tuple(builder, arguments[0])):
            vector = builder.insert_element(vector, number, ir.Constant(INDEX, lane))
        return vector

    return float8(lanes), generate


def _of_each(name):
    """A function of a Float8 that LLVM knows by this name, lane by lane."""

    @intrinsic
    def function(typing, vector):
        def generate(context, builder, signature, arguments):
            function = ir.FunctionType(VECTOR, [VECTOR])
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
            left = builder.fadd(left, shuffle(builder, left, left, [k + half for k in range(half)] * (LANES // half)))
        return builder.extract_element(left, ir.Constant(INDEX, 0))

    return types.float32(float8), generate


@intrinsic
def whole(typing, vector):
    """Float8: the whole parts."""

    def generate(context, builder, signature, arguments):
        return builder.sitofp(builder.fptosi(arguments[0], INTEGERS), VECTOR)

    return float8(float8), generate
