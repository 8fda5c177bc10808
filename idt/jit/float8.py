"""SIMD vectors of eight float32 numbers, for loops that the compiler does not vectorise.

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
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

LANES = 8

FLOAT, INT32, INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
FLOAT_VECTOR, INT32_VECTOR = ir.VectorType(FLOAT, LANES), ir.VectorType(INT32, LANES)
_FUSED = ("contract",)
# numba does not document this class. Without it a Float8 is a structure of eight numbers, and each operation makes
# vectors of them.
_PRIMITIVE = getattr(models, "PrimitiveModel", None)


class Float8(types.Type):
    """The numba type of eight float32 numbers."""

    def __init__(self):
        super().__init__(name="Float8")


float8 = Float8()


@register_model(Float8)
class _Model(_PRIMITIVE or models.StructModel):  # type: ignore[misc]
    def __init__(self, manager, of_type):
        content = FLOAT_VECTOR if _PRIMITIVE else [(f"lane{k}", types.float32) for k in range(LANES)]
        super().__init__(manager, of_type, content)


def adapt_generator(build):
    """Adapt the code generator ``build`` to numba's ``intrinsic``.

    ``build`` is called with LLVM's builder and the arguments: vectors for Float8, lists for tuples, the address of the
    first number for arrays. It returns its result in the same form, or None.
    """

    def generate(context, builder, signature, arguments):
        opened = [_open(context, builder, *pair) for pair in zip(signature.args, arguments, strict=True)]
        return _close(context, builder, signature.return_type, build(builder, *opened))

    return generate


def _open(context, builder, kind, value):
    """Convert a ``value`` of numba's type ``kind`` to the form that `adapt_generator` describes."""
    if isinstance(kind, types.Array):
        return cgutils.create_struct_proxy(kind)(context, builder, value=value).data
    if isinstance(kind, types.BaseTuple):
        items = enumerate(kind)
        return [_open(context, builder, of_item, builder.extract_value(value, k)) for k, of_item in items]
    if kind == float8 and not _PRIMITIVE:
        return from_lanes(builder, [builder.extract_value(value, k) for k in range(LANES)])
    return value


def _close(context, builder, kind, content):
    """Convert ``content`` in the form that `adapt_generator` describes to a value of numba's type ``kind``."""
    if kind == types.none:
        return ir.Constant(context.get_value_type(kind), None)
    if isinstance(kind, types.BaseTuple):
        items = [_close(context, builder, *pair) for pair in zip(kind, content, strict=True)]
    elif kind == float8 and not _PRIMITIVE:
        items = [builder.extract_element(content, INT32(k)) for k in range(LANES)]
    else:
        return content
    value = ir.Constant(context.get_value_type(kind), ir.Undefined)
    for k, item in enumerate(items):
        value = builder.insert_value(value, item, k)
    return value


def shuffle(builder, first, second, lanes):
    """Build with ``builder`` the vector of the lanes numbered ``lanes``, counted through ``first``, then ``second``."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(INT32, len(lanes)), lanes))


def from_lanes(builder, lanes):
    """Build a vector of eight numbers, ``lanes``, with ``builder``."""
    vector = ir.Constant(ir.VectorType(lanes[0].type, LANES), ir.Undefined)
    for lane, number in enumerate(lanes):
        vector = builder.insert_element(vector, number, INT32(lane))
    return vector


def spread(builder, number):
    """Build a vector of eight copies of ``number`` with ``builder``."""
    first = builder.insert_element(ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined), number, INT32(0))
    return shuffle(builder, first, first, [0] * LANES)


def call_llvm(builder, name, result, *arguments):
    """Build a call of LLVM's function ``name`` with ``arguments`` and the type ``result``, with ``builder``."""
    function = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(builder.module.declare_intrinsic(name, fnty=function), arguments)


def _define_operator(symbol, instruction):
    """Define the operator ``symbol`` for two `Float8` in numba."""

    @type_callable(symbol)
    def _type(context):
        return lambda first, second: float8 if first == second == float8 else None

    @lower_builtin(symbol, Float8, Float8)
    @adapt_generator
    def _generate(builder, first, second):
        return getattr(builder, instruction)(first, second, flags=_FUSED)


_define_operator(operator.add, "fadd")
_define_operator(operator.sub, "fsub")
_define_operator(operator.mul, "fmul")
_define_operator(operator.truediv, "fdiv")


def _unary(build):
    """Make an operation on one Float8 from the code generator ``build`` (see `adapt_generator`)."""

    @intrinsic
    def operation(typing, vector):
        return float8(float8), adapt_generator(build)

    return operation


def _binary(build):
    """Make an operation on two Float8 from the code generator ``build`` (see `adapt_generator`)."""

    @intrinsic
    def operation(typing, first, second):
        return float8(float8, float8), adapt_generator(build)

    return operation


def _minimum(builder, first, second):
    return builder.select(builder.fcmp_ordered("<", first, second), first, second)


def _maximum(builder, first, second):
    return builder.select(builder.fcmp_ordered(">", first, second), first, second)


minimum = _binary(_minimum)
"""The smaller of two, lane by lane."""
maximum = _binary(_maximum)
"""The greater of two, lane by lane."""
equal = _binary(lambda builder, first, second: builder.uitofp(builder.fcmp_ordered("==", first, second), FLOAT_VECTOR))
"""1 where two are the same number, else 0."""
absolute = _unary(lambda builder, vector: call_llvm(builder, "llvm.fabs.v8f32", FLOAT_VECTOR, vector))
"""The magnitudes."""
square_root = _unary(lambda builder, vector: call_llvm(builder, "llvm.sqrt.v8f32", FLOAT_VECTOR, vector))
"""The square roots."""
rounded = _unary(lambda builder, vector: call_llvm(builder, "llvm.rint.v8f32", FLOAT_VECTOR, vector))
"""The nearest whole numbers, ties to even."""
truncated = _unary(lambda builder, vector: builder.sitofp(builder.fptosi(vector, INT32_VECTOR), FLOAT_VECTOR))
"""The whole parts."""


@intrinsic
def broadcast(typing, number):
    """Return a Float8 of one number in all lanes."""
    return float8(types.float32), adapt_generator(spread)


@intrinsic
def from_numbers(typing, lanes):
    """Return a tuple of eight float32 numbers as a Float8."""
    return float8(lanes), adapt_generator(from_lanes)


@intrinsic
def multiply_add(typing, a, b, c):
    """Return a · b + c of float32 numbers, rounded once; the compiler vectorises loops of it."""
    number = types.float32
    return number(number, number, number), adapt_generator(
        lambda builder, *abc: call_llvm(builder, "llvm.fma.f32", FLOAT, *abc)
    )


@intrinsic
def lane_sum(typing, vector):
    """Return the sum of the eight numbers, as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7))."""

    def build(builder, left):
        for half in (4, 2, 1):
            left = builder.fadd(left, shuffle(builder, left, left, [k + half for k in range(half)] * (LANES // half)))
        return builder.extract_element(left, INT32(0))

    return types.float32(float8), adapt_generator(build)


def sorting_network(comparators, results):
    """Return a function that sorts a tuple of Float8, lane by lane, by the network of ``comparators``.

    A comparator is a pair of places: the smaller number goes to the first, the greater to the second. ``results`` are
    the places that the function returns. A comparator that no result depends on is left out.
    """

    def build(builder, rows):
        for one, other in comparators:
            rows[one], rows[other] = (choose(builder, rows[one], rows[other]) for choose in (_minimum, _maximum))
        return [rows[place] for place in results]

    @intrinsic
    def sort(typing, rows):
        return types.UniTuple(float8, len(results))(rows), adapt_generator(build)

    return sort


# Lane patterns for `shuffle` within each half of a vector, which processors do in one instruction.
_SINGLES = [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]
_PAIRS = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
_HALVES = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]


@intrinsic
def transposed(typing, rows):
    """Return a tuple of eight Float8 transposed: the first numbers of all, the second ones, and so on."""

    def build(builder, rows):
        # Neighbours are interleaved, then neighbouring pairs, then halves: log₂ 8 steps.
        singles = [shuffle(builder, rows[i], rows[i + 1], lanes) for i in (0, 2, 4, 6) for lanes in _SINGLES]
        pairs = [shuffle(builder, singles[i], singles[i + 2], lanes) for i in (0, 1, 4, 5) for lanes in _PAIRS]
        return [shuffle(builder, pairs[i], pairs[i + 4], lanes) for lanes in _HALVES for i in range(4)]

    return types.UniTuple(float8, LANES)(rows), adapt_generator(build)
