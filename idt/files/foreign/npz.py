"""Archives of arrays that strangers saved with `numpy.savez`, arrays of objects included.

Objects are interpreted by `idt.files.foreign.pickles`, so ``allow_pickle`` is never needed.
"""

from idt.files import npy
from idt.files.foreign.pickles import Budget, Machine
from idt.files.foreign.torch_files import CALLS


def arrays_of(archive, name, size):
    """Read all arrays of an archive.

    Parameters
    ----------
    archive : idt.files.foreign.archives.Archive
    name : str
        What messages call it.
    size : int
        Bytes of the file.

    Returns
    -------
    dict of str to ndarray
        Of numbers, text or objects.

    Raises
    ------
    DataError
        If a member is no array, or holds what is not read.
    """
    members = [(member.removesuffix(".npy"), archive.read(member)) for member in archive.names]
    budget = Budget(max(size, sum(len(data) for _, data in members)), name)
    return {member: array_of(data, f"{name}: {member}", budget) for member, data in members}


def array_of(data, name, budget=None):
    """Read an array that `numpy.save` wrote.

    Parameters
    ----------
    data : bytes
    name : str
        What messages call it.
    budget : idt.files.foreign.pickles.Budget, optional

    Returns
    -------
    ndarray
        Of numbers, text or objects.

    Raises
    ------
    DataError
        If it is no such array.
    """

    def unpickled(pickle):
        return Machine(pickle, name, CALLS, budget or Budget(len(data), name)).run()

    return npy.parse(data, name, unpickled=unpickled)
