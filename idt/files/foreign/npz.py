"""Read and write archives of arrays as `numpy.savez` does, arrays of objects included.

Objects are interpreted by `idt.files.foreign.pickles`, so ``allow_pickle`` is never needed.
"""

import io
import zipfile

from idt.files.foreign import npy
from idt.files.foreign.pickle_types import Budget
from idt.files.foreign.pickles import Machine
from idt.files.foreign.torch_files import CALLS


def arrays_of(archive, name, size):
    """Read all arrays of an archive.

    Parameters
    ----------
    archive : idt.files.foreign.archives.Archive
    name : str
        Name for messages.
    size : int
        Bytes of the file.

    Returns
    -------
    dict of str to ndarray
        Of numbers, text or objects.

    Raises
    ------
    DataError
        If a member is no array, or holds unsupported values.
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
        Name for messages.
    budget : idt.files.foreign.pickle_types.Budget, optional

    Returns
    -------
    ndarray
        Of numbers, text or objects.

    Raises
    ------
    DataError
        If it is no such array.
    """

    def unpickle(pickle):
        return Machine(pickle, name, CALLS, budget or Budget(len(data), name)).run()

    return npy.parse(data, name, unpickle=unpickle)


def packed(members):
    """Return the bytes of an npz archive of ``members``, a dict of name → npy bytes; equal members give equal bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for member, content in members.items():
            # A fixed time stamp, so that equal members give equal files.
            archive.writestr(zipfile.ZipInfo(f"{member}.npy"), content)
    return data.getvalue()
