"""Vectors by hand, for the places where the compiler finds none: a gather meets a store, a sum crosses its lanes.

They are written as LLVM's portable vectors, which every processor that numba supports can run: as one instruction
where it has vectors of eight numbers, as several where it has not. The order of the additions is fixed, so the result
is the same everywhere. Arrays are flat and C-contiguous, float32 unless said otherwise; nothing is checked.

numba keeps compiled kernels by the age of their own file: after an edit here, empty the caches of those who use it.
"""

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

LANES = 8

_FLOAT = ir.FloatType()
_INT = ir.IntType(64)
_INDEX = ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INDICES = ir.VectorType(_INDEX, LANES)


def _pointer(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, value=array).data


def _address(builder, pointer, index, vector=_VECTOR):
    return builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer())


def _load(builder, pointer, index, vector=_VECTOR):
    loaded = builder.load(_address(builder, pointer, index, vector))
    loaded.align = 4
    return loaded


def _store(builder, vector, pointer, index):
    builder.store(vector, _address(builder, pointer, index, vector.type)).align = 4


def _shuffle(builder, vector, lanes):
    mask = ir.Constant(ir.VectorType(_INDEX, len(lanes)), lanes)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _everywhere(builder, number):
    vector = ir.VectorType(number.type, LANES)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(_INDEX, 0))
    return _shuffle(builder, single, [0] * LANES)


def _add_product(builder, vector, a, b):
    return builder.fadd(vector, builder.fmul(a, b, flags=("contract",)), flags=("contract",))


def _round(builder, vector):
    rint = get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.rint.v{LANES}f32")
    return builder.call(rint, [vector])


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


@intrinsic
def locate_on_line(typing, places, right, down, at, x, y, cos, sin, inside, height, width):
    """Pixels at which to look up eight places of a line, and what is left to their right and below them.

    Place k of the line is x + k·cos, y + k·sin (float32); k = at … at + 7. places int32, right and down [at : at + 8]
    are written. Where a place has not four pixels around it, the nearest pixel itself is meant; inside (boolean)
    promises that there is no such place.
    """
    signature = types.void(
        places, right, down, types.int64, *(types.float32,) * 4, types.boolean, types.int64, types.int64
    )

    def generate(context, builder, signature, arguments):
        outs = [_pointer(context, builder, signature.args[k], arguments[k]) for k in range(3)]
        at, x, y, cos, sin, inside, height, width = arguments[3:]
        k = builder.add(_everywhere(builder, builder.trunc(at, _INDEX)), ir.Constant(_INDICES, list(range(LANES))))
        k = builder.sitofp(k, _VECTOR)
        positions = [
            _add_product(builder, _everywhere(builder, first), k, _everywhere(builder, step))
            for first, step in ((x, cos), (y, sin))
        ]
        height, width = builder.trunc(height, _INDEX), builder.trunc(width, _INDEX)
        positions = _clamp_unless(builder, inside, positions, (width, height))
        columns, rows = (builder.fptosi(position, _INDICES) for position in positions)
        place = builder.add(builder.mul(rows, _everywhere(builder, width)), columns)
        fractions = [
            builder.fsub(position, builder.sitofp(whole, _VECTOR))
            for position, whole in zip(positions, (columns, rows), strict=True)
        ]
        for out, vector in zip(outs, (place, *fractions), strict=True):
            _store(builder, vector, out, at)
        return context.get_dummy_value()

    return signature, generate


def _clamp_unless(builder, inside, positions, sizes):
    zero = ir.Constant(_VECTOR, [0.0] * LANES)
    before = builder.block
    with builder.if_then(builder.not_(inside)):
        surrounded, nearest = None, []
        for position, size in zip(positions, sizes, strict=True):
            last = _everywhere(builder, builder.sitofp(builder.sub(size, ir.Constant(_INDEX, 1)), _FLOAT))
            for holds in (builder.fcmp_ordered(">=", position, zero), builder.fcmp_ordered("<", position, last)):
                surrounded = holds if surrounded is None else builder.and_(surrounded, holds)
            pixel = _round(builder, position)
            pixel = builder.select(builder.fcmp_ordered(">", pixel, zero), pixel, zero)
            nearest.append(builder.select(builder.fcmp_ordered("<", pixel, last), pixel, last))
        clamped = [builder.select(surrounded, *pair) for pair in zip(positions, nearest, strict=True)]
        clamping = builder.block
    chosen = []
    for position, replaced in zip(positions, clamped, strict=True):
        chosen.append(builder.phi(_VECTOR))
        chosen[-1].add_incoming(position, before)
        chosen[-1].add_incoming(replaced, clamping)
    return chosen


@intrinsic
def share_interpolated(typing, sums, following, at, share, rest, pixels, places, right, down):
    """sums[at : at + 8] += share · level, following[at : at + 8] = rest · level, for eight gray levels looked up.

    A level, rounded, lies right[at :] and down[at :] (float32) of a pixel beyond pixels[places[at :]]. pixels: from
    the lowest byte on a pixel, its right, its lower and its lower right neighbour. All other arrays are int32.
    """
    signature = types.void(sums, following, types.int64, types.int64, types.int64, pixels, places, right, down)

    def generate(context, builder, signature, arguments):
        at = arguments[2]
        share, rest = (_everywhere(builder, builder.trunc(weight, _INDEX)) for weight in arguments[3:5])
        sums, following, pixels, places, right, down = (
            _pointer(context, builder, signature.args[k], arguments[k]) for k in (0, 1, 5, 6, 7, 8)
        )
        packed = ir.Constant(_INDICES, ir.Undefined)
        for lane in range(LANES):
            # One by one, from memory to memory: no slower than the one instruction that newer processors have.
            place = builder.load(builder.gep(places, [builder.add(at, ir.Constant(_INT, lane))]))
            pixel = builder.load(builder.gep(pixels, [builder.zext(place, _INT)]))
            packed = builder.insert_element(packed, pixel, ir.Constant(_INDEX, lane))
        corners = []
        for shift in (0, 8, 16, 24):
            byte = builder.lshr(packed, ir.Constant(_INDICES, [shift] * LANES))
            byte = builder.and_(byte, ir.Constant(_INDICES, [255] * LANES))
            corners.append(builder.sitofp(byte, _VECTOR))
        right, down = _load(builder, right, at), _load(builder, down, at)
        upper = _add_product(builder, corners[0], right, builder.fsub(corners[1], corners[0]))
        lower = _add_product(builder, corners[2], right, builder.fsub(corners[3], corners[2]))
        level = _round(builder, _add_product(builder, upper, down, builder.fsub(lower, upper)))
        level = builder.fptosi(level, _INDICES)
        total = builder.add(_load(builder, sums, at, _INDICES), builder.mul(share, level))
        _store(builder, total, sums, at)
        _store(builder, builder.mul(rest, level), following, at)
        return context.get_dummy_value()

    return signature, generate
