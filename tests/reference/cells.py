"""Which cell of a grid a track lies in, axis by axis."""


def rows_of_cell(position, grid, cell):
    """Indices of the tracks whose relative position lies in the cell."""
    return [
        i
        for i, place in enumerate(position)
        if all(index / n <= place[axis] < (index + 1) / n or n == 1
               for axis, (n, index) in enumerate(zip(grid, cell, strict=True)))
    ]  # fmt: skip
