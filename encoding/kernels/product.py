"""Matrix products in float32, each number summed in one fixed order, whatever the number of threads.

A BLAS library is as fast, but splits a product over threads of its own as it finds fit, and these get in the way of
those that share out batches of descriptors. The second factor is packed in panels of 16 columns, so that a tile of
6 × 16 sums stays in registers while the two factors stream past. It is written as LLVM's portable vectors, which become
one instruction where the processor has vectors of eight numbers and several where it has not.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from idt.jit.kernel import kernel

ROWS = 6  # 6 × 16 sums fill 12 of 16 vector registers: enough to hide the latency of multiplying and adding
PANEL = 16
LANES = 8

_FLOAT = ir.FloatType()
_INT = ir.IntType(64)
_INDEX = ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, LANES)
# a·b + c in one rounding, where the processor can; the order of the additions stays.
_CONTRACT = ("contract",)


@kernel()
def multiply(a, panels, out):
    """The product a · b, where b is packed in panels.

    a (6m, d) float32, panels (p, d, 16) float32; out (6m, 16p) float32. Unchecked: call product.product.
    """
    depth, width = a.shape[1], out.shape[1]
    for p in range(panels.shape[0]):
        for i in range(0, a.shape[0], ROWS):
            first, second, target = i * depth, p * depth * PANEL, i * width + p * PANEL
            # numba adds the first argument, mypy misses the last.
            _multiply_tile(a, first, panels, second, out, target)  # type: ignore[call-arg]


@kernel()
def pack(b, panels):
    """The columns of b in panels of 16, zeros beyond the last.

    b (d, n) float32; panels (p, d, 16) float32 with 16p ≥ n. Unchecked: call product.product.
    """
    n = b.shape[1]
    for p in range(panels.shape[0]):
        for k in range(panels.shape[1]):
            for j in range(PANEL):
                column = p * PANEL + j
                panels[p, k, j] = b[k, column] if column < n else 0


@intrinsic
def _multiply_tile(typing, a, a_first, b, b_first, out, out_first):
    """Multiply one tile: out[6 rows, 16 columns] = Σ_k a[6 rows, k] · b[k, 16 columns].

    Each begins at the flat position ``…_first``.
    """
    signature = types.void(a, types.int64, b, types.int64, out, types.int64)

    def generate(context, builder, signature, arguments):
        a, b, out = (
            cgutils.create_struct_proxy(signature.args[i])(context, builder, value=arguments[i]) for i in range(0, 6, 2)
        )
        a_first, b_first, out_first = arguments[1::2]
        # The rows of b are PANEL numbers apart.
        depth, out_step = (builder.extract_value(array.shape, 1) for array in (a, out))
        a, b, out = a.data, b.data, out.data
        before, loop, after = (builder.block, *(builder.append_basic_block(name) for name in ("depth", "store")))
        builder.branch(loop)

        builder.position_at_end(loop)
        k = builder.phi(_INT)
        sums = [[builder.phi(_VECTOR) for _ in range(0, PANEL, LANES)] for _ in range(ROWS)]
        b_row = builder.add(b_first, builder.mul(k, _INT(PANEL)))
        columns = [_load(builder, b, builder.add(b_row, _INT(j))) for j in range(0, PANEL, LANES)]
        added = []
        for i in range(ROWS):
            index = builder.add(builder.add(a_first, builder.mul(depth, _INT(i))), k)
            factor = _everywhere(builder, builder.load(builder.gep(a, [index])))
            products = [builder.fmul(factor, column, flags=_CONTRACT) for column in columns]
            added.append(
                [builder.fadd(part, total, flags=_CONTRACT) for part, total in zip(products, sums[i], strict=True)]
            )
        following = builder.add(k, _INT(1))
        k.add_incoming(_INT(0), before)
        k.add_incoming(following, loop)
        for i in range(ROWS):
            for total, more in zip(sums[i], added[i], strict=True):
                total.add_incoming(ir.Constant(_VECTOR, [0.0] * LANES), before)
                total.add_incoming(more, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)

        builder.position_at_end(after)
        for i in range(ROWS):
            row = builder.add(out_first, builder.mul(out_step, _INT(i)))
            for j, total in zip(range(0, PANEL, LANES), added[i], strict=True):
                builder.store(total, _address(builder, out, builder.add(row, _INT(j)))).align = 4
        return ir.Constant(context.get_value_type(types.none), None)

    return signature, generate


def _address(builder, pointer, index):
    return builder.bitcast(builder.gep(pointer, [index]), _VECTOR.as_pointer())


def _load(builder, pointer, index):
    loaded = builder.load(_address(builder, pointer, index))
    loaded.align = 4
    return loaded


def _everywhere(builder, number):
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(undefined, number, _INDEX(0))
    return builder.shuffle_vector(single, undefined, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES))
