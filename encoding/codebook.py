"""Codebooks: the models that are fitted to training descriptors, block by block, and their file.

A codebook holds for each block a mean and a projection (`encoding.models.pca`) and the models of its encoding: a
mixture (`encoding.models.gmm`) for Fisher vectors, words (`encoding.models.kmeans`) for bags of words and VLAD, a
second layer for stacked Fisher vectors. `encoding.fitting` fits them.

Format ``idt-codebook``, version 2 (docs/method/files.md, section 4): in ``blocks/NAME`` the datasets ``mean``
(d,), ``projection`` (D, d), ``variances_along`` (D,) float64 if there is a PCA; ``weights`` (K,), ``means`` and
``variances`` (K, D) of a mixture, or ``centres`` (K, D) and ``distortion`` (1,) of words, or ``buckets`` and ``signs``
(2, D) of a tensor sketch; the datasets of a second layer as `encoding.coders.stacked` names them, in the groups
``volume`` and ``second``. All datasets but the ``variances_along`` of a PCA are float32. Root attributes besides those
of all our files: ``encoding``, its name; ``blocks``, the JSON list of the blocks' names with the sizes of their
descriptors; ``features``, the JSON of the parameters that the features were extracted with; ``sampling``, the JSON of
the numbers of sampled descriptors; ``digest``, the SHA-256 of all that a vector depends on.
"""

import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoding.coders.coder import Block
from encoding.coders.registry import encoding_of
from encoding.descriptors.inputs import differences
from encoding.models.pca import PCA
from encoding.params import EncodingParams
from idt.errors import DataError
from idt.features.projection import CODEBOOK_FORMAT, CODEBOOK_VERSION, array_path, identity
from idt.files import hdf5, result_file

DIGEST_VERSION = 1
"""Version of the digest. It differs from the version of the file, because the file can change while the numbers keep
their meaning."""


@dataclass(frozen=True)
class Codebook:
    """A fitted codebook.

    Attributes
    ----------
    blocks : tuple of Block
    params : dict
        The parameters that the codebook depends on, as from `BlockParams.fitting`.
    features : dict or None
        Parameters that the features were extracted with, without the segment (``start`` and ``end``). None for arrays
        and for rows that another program wrote.
    sampling : dict
        Three counts: ``"videos"`` that had tracks, descriptors ``"seen"`` in them, and descriptors ``"sampled"``.
    encoding : str
        A key of `encoding.coders.registry.ENCODINGS`, such as ``"fisher"``.
    """

    blocks: tuple[Block, ...]
    params: dict[str, Any]
    features: dict[str, Any] | None
    sampling: dict[str, int]
    encoding: str = EncodingParams.encoding

    @functools.cached_property
    def digest(self):
        """SHA-256 of all that a vector depends on, 64 hexadecimal digits."""
        sha = hashlib.sha256(self._description().encode())
        for block in self.blocks:
            for name, values in block.arrays().items():
                sha.update(f"{block.name}/{name} {values.shape}".encode())
                sha.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
        return sha.hexdigest()

    @property
    def projection_digest(self):
        """Digest of the projection, as from `idt.features.projection.identity`; None without a PCA."""
        arrays = {
            block.name: (block.pca.mean_, block.pca.components_, block.pca.explained_variance_)
            for block in self.blocks
            if block.pca is not None
        }
        return identity(self.digest, arrays) if arrays else None

    @property
    def widths(self):
        """Numbers of principal components of each block that has a PCA: dict of str to int."""
        return {block.name: block.pca.n_components_ for block in self.blocks if block.pca is not None}

    @property
    def sizes(self):
        """Columns of each descriptor that is needed, in the order of a row: dict of str to int."""
        return {name: size for block in self.blocks for name, size in block.sizes.items()}

    def params_with(self, **options):
        """Return the parameters of vectors made with this codebook.

        Parameters
        ----------
        **options
            Parameters of the encoding that are given. A value other than the one the codebook was fitted with is
            refused.

        Returns
        -------
        BlockParams

        Raises
        ------
        DataError
            If an option is unknown or contradicts the codebook.
        """
        params = encoding_of(self.encoding).params.from_options(**{**self.params, **options})
        for name, value in params.fitting().items():
            if value != self.params[name]:
                raise DataError(f"the codebook was fitted with {name}={self.params[name]}, this run asks for {value}")
        return params

    def check_fits(self, inputs):
        """Refuse descriptors that are not of the kind that the codebook was fitted on.

        Parameters
        ----------
        inputs : Inputs

        Raises
        ------
        DataError
            If the features were extracted with other parameters, or have other sizes.
        """
        first = inputs.sources[0].label
        if inputs.projection_digest is not None:
            # The digest covers the parameters and sizes of the features, too, so nothing else is compared.
            if inputs.projection_digest != self.projection_digest:
                raise DataError(
                    f"{first} is stored along the axes of the codebook with digest"
                    f" {inputs.projection_digest!s:.12}…, so it can only be encoded with that one,"
                    f" got one with digest {self.digest:.12}…"
                )
            return
        if inputs.sizes.keys() == self.sizes.keys() and inputs.params != self.features:
            fitted, found = differences(self.features, inputs.params)
            raise DataError(
                f"the codebook was fitted on features with {fitted}, {first} has {found}; "
                "extract them alike, or fit another codebook"
            )
        if inputs.sizes != self.sizes:
            fitted, found = (", ".join(f"{name} of {n}" for name, n in it.items()) for it in (self.sizes, inputs.sizes))
            raise DataError(f"the codebook was fitted on {fitted} columns, {first} has {found}; fit another codebook")

    def save(self, path, *, source=None, overwrite=False):
        """Write a codebook file; equal codebooks of equal sources give equal bytes.

        Parameters
        ----------
        path : str or Path
        source : dict, optional
            Provenance of the training data, with its ``"digest"``.
        overwrite : bool or collection of path
            As for `idt.files.atomic.replacing`.

        Raises
        ------
        DataError
            If ``path`` exists and may not be replaced.
        OSError
            If the disk is full or ``path`` cannot be written.
        """
        with result_file.create(
            path,
            format=CODEBOOK_FORMAT,
            version=CODEBOOK_VERSION,
            params=self.params,
            source=source,
            overwrite=overwrite,
        ) as file:
            result_file.set_attribute(file, "encoding", self.encoding)
            result_file.set_json(file, "blocks", [{"name": block.name, "sizes": block.sizes} for block in self.blocks])
            result_file.set_json(file, "features", self.features)
            result_file.set_json(file, "sampling", self.sampling)
            result_file.set_attribute(file, "digest", self.digest)
            for block in self.blocks:
                for name, values in block.arrays().items():
                    result_file.write_array(file, array_path(block.name, name), values)

    @classmethod
    def load(cls, path):
        """Read a codebook file.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Codebook

        Raises
        ------
        DataError
            If it is of another format or version, or damaged, or if its numbers do not match its digest.
        OSError
            If it does not exist or cannot be read.
        """
        with hdf5.open_checked(path, format=CODEBOOK_FORMAT, versions=CODEBOOK_VERSION) as file:
            try:
                encoding = hdf5.attribute(file, "encoding", str)
                kind = encoding_of(encoding)
                params = kind.params.from_options(**(hdf5.json_attribute(file, "params") or {})).fitting()
                codebook = cls(
                    tuple(
                        _read_block(file, described, params, kind.coder)
                        for described in hdf5.json_attribute(file, "blocks", list)
                    ),
                    params,
                    hdf5.json_attribute(file, "features"),
                    hdf5.json_attribute(file, "sampling") or {},
                    encoding,
                )
            except (DataError, KeyError, TypeError, AttributeError) as problem:
                raise DataError(f"{path} is no codebook that can be used: {problem}; fit it anew") from None
            if not codebook.blocks or hdf5.attribute(file, "digest", str) != codebook.digest:
                raise DataError(f"{path} holds numbers that do not match its digest; fit it anew")
        return codebook

    def _description(self):
        """Return everything but the arrays that a vector depends on, as text."""
        parts = [{"name": block.name, "sizes": list(block.sizes.items())} for block in self.blocks]
        described = [CODEBOOK_FORMAT, DIGEST_VERSION, self.encoding, self.params, self.features, parts]
        return json.dumps(described, sort_keys=True)


def _read_block(file, described, params, coder):
    """Read a block from its group."""
    name, sizes = described["name"], {key: int(size) for key, size in described["sizes"].items()}
    width = sum(sizes.values())

    def read(part, *shape, dtype=np.float32):
        return hdf5.read(file, array_path(name, part), shape=shape, dtype=dtype)

    pca = None
    if params["pca"] is not None:
        components = read("projection", None, width)
        pca = PCA.from_file(
            read("mean", width),
            components,
            read("variances_along", len(components), dtype=np.float64),
            whiten=params["whiten"],
        )
        width = len(components)
    return Block(name, sizes, pca, coder.read(read, params, width))
