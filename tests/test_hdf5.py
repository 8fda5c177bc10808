"""`idt.files.hdf5` and `idt.files.atomic`: files that are whole, say what they are, and may come from a stranger."""

import dataclasses
import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import zlib

import h5py
import numpy as np
import pytest

from idt import DataError, ExtractionParams, __version__
from idt.files import hdf5, outputs, provenance, result_file
from idt.files.atomic import replacing
from tests.hdf5_files import fixed, opened
from tests.up_to_date import state_of

DIGEST = "a" * 64
KIND = {"format": "idt-test", "version": 1}


def write(path, *, params=None, source=None, overwrite=False, **datasets):
    with result_file.create(path, params=params, source=source, overwrite=overwrite, **KIND) as file:
        for name, values in datasets.items():
            result_file.write_array(file, name.replace("__", "/"), np.atleast_1d(values))


def stopped(problem):
    """Something that goes wrong while a file is open."""

    def act(*_):
        raise problem("stop")

    return act


def write_then(path, act, *, overwrite=False):
    with result_file.create(path, params=None, source=None, overwrite=overwrite, **KIND) as file:
        file["a"] = np.zeros(10**6)
        act(file)


def full_disk(monkeypatch):
    """From now on the disk takes no more."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)


def matches(path, *, params=None, source=None, **kind):
    return state_of(path, params=params, source=source or {"digest": DIGEST}, **{**KIND, **kind})


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def run(code, folder, **options):
    """Run Python code in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, **options)


# Writing.


def test_a_file_says_what_it_is_and_what_it_was_made_from(target):
    write(target, params=ExtractionParams(), source={"name": "a.avi", "digest": DIGEST}, a__b=np.arange(3))
    with h5py.File(target) as file:
        assert file.attrs["format"] == b"idt-test"
        assert file.attrs["version"] == 1
        assert file.attrs["tool"].decode() == f"improved-dense-trajectories {__version__}"
        assert file.attrs["params"].decode() == json.dumps(dataclasses.asdict(ExtractionParams()), sort_keys=True)
        assert file.attrs["source"].decode() == f'{{"digest": "{DIGEST}", "name": "a.avi"}}'
    with hdf5.open_checked(target, format="idt-test", versions=(1, 2)) as file:
        np.testing.assert_array_equal(hdf5.read(file, "a/b", shape=(None,), dtype=np.int64), [0, 1, 2])


def test_a_source_may_be_long(target):
    # A codebook lists thousands of files; older HDF5 formats hold attributes up to 64 KB only.
    source = {f"video {i}": DIGEST for i in range(3000)}
    write(target, source=source)
    with hdf5.open_checked(target, format="idt-test", versions=1) as file:
        assert hdf5.json_attribute(file, "source") == source


def test_nothing_has_the_name_before_the_file_is_complete(target):
    with result_file.create(target, params=None, source=None, **KIND) as file:
        file["a"] = 1
        (part,) = left_in(target.parent)
        assert re.fullmatch(r"\.f\.h5\.[0-9a-f]{16}\.part", part)
    assert left_in(target.parent) == ["f.h5"]


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_nothing(target, problem):
    with pytest.raises(problem, match="stop"):
        write_then(target, stopped(problem))
    assert left_in(target.parent) == []


def test_a_failed_replacement_keeps_the_earlier_file(target):
    write(target, a=1)
    before = target.read_bytes()
    with pytest.raises(ValueError, match="stop"):
        write_then(target, stopped(ValueError), overwrite=True)
    assert target.read_bytes() == before
    assert left_in(target.parent) == ["f.h5"]


def test_a_killed_writer_leaves_no_file_and_the_next_one_sweeps_its_part(target):
    code = """
        import os, signal
        from idt.files import hdf5, outputs, provenance, result_file
        with result_file.create("f.h5", format="idt-test", version=1, params=None, source=None) as file:
            file["a"] = range(10**5)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        """
    killed = run(code, target.parent, env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert killed.returncode == -signal.SIGKILL
    (part,) = left_in(target.parent)
    assert part.startswith(".f.h5.")
    write(target, a=1)
    assert left_in(target.parent) == ["f.h5"]


def test_parts_that_are_locked_of_earlier_releases_and_of_other_targets_are_kept(target):
    living, dead = (f".f.h5.{digit * 16}.part" for digit in "ab")
    kept = [living, ".f.h5.elsewhere-5.part", f".g.h5.{'c' * 16}.part"]
    for name in [*kept, dead]:
        (target.parent / name).touch()
    with open(target.parent / living, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write(target)
    assert left_in(target.parent) == sorted([*kept, "f.h5"])


def test_a_full_disk_is_one_line_and_leaves_nothing(target, monkeypatch):
    def go_on(file):
        full_disk(monkeypatch)
        file.create_dataset("b", data=np.arange(10**5), chunks=(100,))
        # HDF5 is undisturbed, and reads what was never written.
        file["b"][:] = 1
        file["c"] = file["b"][5:10]

    with pytest.raises(OSError, match=r"^no space left while writing .*f\.h5; nothing was left under") as caught:
        write_then(target, go_on)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.__suppress_context__
    assert left_in(target.parent) == []


def test_a_file_that_another_process_finished_meanwhile_is_kept(target):
    with pytest.raises(DataError, match="exists"), replacing(target):
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert os.listdir(target.parent) == [target.name]


def test_an_output_that_is_an_input_is_refused_under_any_name(tmp_path):
    (tmp_path / "a.avi").write_bytes(b"film")
    (tmp_path / "link.avi").symlink_to("a.avi")
    for given in ("a.avi", "link.avi"):
        with pytest.raises(DataError, match=r"a\.avi is an input of this run"):
            outputs.check([tmp_path / "a.avi"], [0, None, str(tmp_path / given)])
    outputs.check([tmp_path / "b.avi"], [tmp_path / "a.avi"])


def test_a_full_disk_while_replacing_keeps_the_earlier_file(target, monkeypatch):
    write(target, a=1)
    full_disk(monkeypatch)
    with pytest.raises(OSError, match=r"no space left while writing .*; the earlier file of that name is as it was"):
        write(target, a=2, overwrite=True)
    assert left_in(target.parent) == ["f.h5"]


def test_a_disk_that_fails_only_when_synced_leaves_nothing(target, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left while writing"):
        write(target, a=1)
    assert left_in(target.parent) == []


def test_a_limit_on_the_size_of_files_makes_no_noise(target):
    code = """
        import resource, signal
        import numpy as np
        from idt.files import hdf5, outputs, provenance, result_file
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        try:
            with result_file.create("f.h5", format="idt-test", version=1, params=None, source=None) as file:
                values = file.create_dataset("a", (0, 8), "f8", maxshape=(None, 8), chunks=(64, 8))
                for size in range(64, 6400, 64):
                    values.resize(size, axis=0)
                    values[-64:] = np.random.default_rng(size).random((64, 8))
        except OSError as problem:
            print(problem)
        """
    done = run(code, target.parent, env={**os.environ, "PYTHONPATH": os.getcwd()})
    line = "the largest file size allowed is reached while writing f.h5; nothing was left under that name"
    assert done.stdout.splitlines() == [line]
    assert done.stderr == ""
    assert done.returncode == 0
    assert left_in(target.parent) == []


def test_the_disk_can_be_asked_while_writing(target, monkeypatch):
    def ask(file):
        file.check_disk()
        full_disk(monkeypatch)
        file["b"] = np.zeros(10**5)
        file.flush()
        file.check_disk()
        pytest.fail("the disk is full")

    with pytest.raises(OSError, match="no space left"):
        write_then(target, ask)


def test_any_file_can_be_written_whole_or_not_at_all(tmp_path):
    def text(name, act):
        with replacing(tmp_path / name) as part:
            part.write(b"one ")
            part.write(np.frombuffer(b"two", np.uint8))
            act()

    text("a.txt", list)
    assert (tmp_path / "a.txt").read_bytes() == b"one two"
    with pytest.raises(ValueError, match="stop"):
        text("b.txt", stopped(ValueError))
    assert left_in(tmp_path) == ["a.txt"]


# What may not be written.


def test_an_existing_file_is_kept_unless_asked_otherwise(target):
    target.write_text("my notes")
    with pytest.raises(DataError, match=r"f\.h5 exists and is not one of .* files; use another path, or --force"):
        write(target)
    with pytest.raises(DataError, match=r"f\.h5 is not one of .* files, so it is not replaced; use .* --force .*f\.h5"):
        write(target, overwrite=True)
    assert target.read_text() == "my notes"
    write(target, overwrite=[target])
    assert hdf5.is_hdf5(target)
    with pytest.raises(DataError, match=r"f\.h5 exists; use another path or --overwrite"):
        write(target)
    write(target, overwrite=True)


def test_a_device_or_a_folder_is_never_replaced(tmp_path):
    for path in ("/dev/null", tmp_path):
        with pytest.raises(DataError, match="is not a regular file"):
            write(path, overwrite=True)


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"^cannot write .*no/f.h5: No such file or directory; its folder is .*no$"
    ):
        write(tmp_path / "no" / "f.h5")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"^cannot write .*f\.h5: Not a directory"):
        write(tmp_path / "file" / "f.h5")


def test_two_writers_of_one_file_in_one_process_are_refused(target):
    with pytest.raises(DataError, match="already being written by this process"):
        write_then(target, lambda _: write(f"{target.parent}/./{target.name}"))


# Reading what others hand us.


def test_text_is_read_as_a_list(target):
    with result_file.create(target, params=None, source=None, **KIND) as file:
        result_file.write_text(file, "names", ["wave/a", "läuft"])
    with hdf5.open_checked(target, format="idt-test", versions=1) as file:
        assert hdf5.read(file, "names", shape=(None,), dtype=str) == ["wave/a", "läuft"]


def test_either_byte_order_is_read(target):
    write(target, a=np.arange(3, dtype=">i4"))
    with hdf5.open_checked(target, format="idt-test", versions=1) as file:
        values = hdf5.read(file, "a", shape=(3,), dtype=(np.int32, np.float32))
    np.testing.assert_array_equal(values, [0, 1, 2])
    assert values.dtype == np.dtype("int32")


def test_a_file_of_another_kind_is_refused_with_both_values(target):
    target.write_text("my notes")
    with pytest.raises(DataError, match=r"f\.h5 is not an HDF5 file, expected format idt-test"):
        hdf5.open_checked(target, format="idt-test", versions=1)
    write(target, overwrite=[target])
    with pytest.raises(DataError, match="has format 'idt-test', expected 'idt-vectors'"):
        hdf5.open_checked(target, format="idt-vectors", versions=1)
    with pytest.raises(DataError, match="has version 1 of idt-test, expected 2 or 3"):
        hdf5.open_checked(target, format="idt-test", versions=(2, 3))
    with opened(target, "w") as file:
        file["a"] = 1
    with pytest.raises(DataError, match="has no attribute 'format'"):
        hdf5.open_checked(target, format="idt-test", versions=1)


def test_a_truncated_file_is_refused_as_damaged(target):
    write(target, a=np.arange(10**5))
    whole = target.read_bytes()
    for size in (8, 100, 5000, len(whole) - 1):
        target.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"f\.h5 is damaged and cannot be read"):
            hdf5.open_checked(target, format="idt-test", versions=1)


def test_damaged_chunks_are_refused(target):
    with result_file.create(target, params=None, source=None, **KIND) as file:
        file.create_dataset("a", data=np.arange(1000), chunks=(1000,), compression="gzip")
        place = file["a"].id.get_chunk_info(0).byte_offset
    whole = bytearray(target.read_bytes())
    whole[place + 2 : place + 40] = b"\xff" * 38
    target.write_bytes(whole)
    with hdf5.open_checked(target, format="idt-test", versions=1) as file, pytest.raises(DataError, match="damaged"):
        hdf5.read(file, "a", shape=(None,), dtype=np.int64)


def hostile(path, make):
    """A file of the right kind whose dataset ``a`` was made by a stranger."""
    with opened(path, "w") as file:
        texts = {"format": "idt-test", "tool": "t", "params": "null", "source": "null"}
        file.attrs.update({"version": 1, **{name: fixed(text) for name, text in texts.items()}})
        make(file)
    return hdf5.open_checked(path, format="idt-test", versions=1)


def test_what_lies_outside_the_file_is_never_read(target):
    secret = target.with_name("secret.h5")
    with h5py.File(secret, "w") as file:
        file["a"] = np.arange(4)
    target.with_name("secret.bin").write_bytes(bytes(32))
    layout = h5py.VirtualLayout((4,), np.int64)
    layout[:] = h5py.VirtualSource(str(secret), "a", shape=(4,))

    def stored_elsewhere(file):
        file.create_dataset("a", (4,), np.int64, external=[(str(target.with_name("secret.bin")), 0, 32)])

    for make, message in (
        (lambda file: file.__setitem__("a", h5py.ExternalLink(str(secret), "a")), "no dataset 'a'"),
        (lambda file: file.update({"b": 1, "a": h5py.SoftLink("/b")}), "no dataset 'a'"),
        (lambda file: file.create_virtual_dataset("a", layout), "outside the file"),
        (stored_elsewhere, "outside the file"),
    ):
        with hostile(target, make) as file, pytest.raises(DataError, match=message):
            hdf5.read(file, "a", shape=(None,), dtype=np.int64)


def test_foreign_filters_and_kinds_of_number_are_refused(target):
    def lzf(file):
        file.create_dataset("a", data=np.arange(4), chunks=(4,), compression="lzf")

    def ragged(file):
        file.create_dataset("a", (4,), h5py.vlen_dtype(np.int64))

    def references(file):
        file.create_dataset("a", (4,), h5py.ref_dtype)

    def opaque(file):
        file.create_dataset("a", data=np.zeros(4, "V8"))

    for make, message in (
        (lzf, "a filter that is not supported"),
        (ragged, "must be int64"),
        (references, "must be int64"),
        (opaque, "must be int64"),
        (lambda file: file.create_group("a"), "no dataset 'a'"),
        (lambda file: file.__setitem__("a", 5), r"must be int64 of shape \(n,\), got int64 of shape \(\)"),
        (lambda file: file.__setitem__("a", np.zeros((2, 3), int)), r"got int64 of shape \(2, 3\)"),
        (lambda file: file.__setitem__("a", h5py.Empty("i8")), "got int64 of shape None"),
    ):
        with hostile(target, make) as file, pytest.raises(DataError, match=message):
            hdf5.read(file, "a", shape=(None,), dtype=np.int64)


@pytest.mark.parametrize("chunks", [None, (1,), (2**30,)])
def test_forged_shapes_are_refused_before_anything_is_allocated(target, chunks):
    size = 10**14 if chunks != (2**30,) else 5

    def forged(file):
        file.create_dataset("a", (size,), np.int8, chunks=chunks, maxshape=None if chunks is None else (None,))

    with hostile(target, forged) as file, pytest.raises(DataError, match="more than the file can hold"):
        hdf5.read(file, "a", shape=(None,), dtype=np.int8)


def test_a_chunk_that_would_unpack_to_more_than_a_chunk_is_refused_unread(target):
    def forged(file):
        numbers = file.create_dataset("a", (10,), np.float32, chunks=(10,), compression="gzip")
        numbers.id.write_direct_chunk((0,), zlib.compress(bytes(4_000_000)))

    with hostile(target, forged) as file, pytest.raises(DataError, match="more than the file can hold"):
        hdf5.read(file, "a", shape=(10,), dtype=np.float32)


def test_attributes_of_the_wrong_kind_are_refused(target):
    def forged(file):
        file.attrs["params"] = fixed("[" * 10**4)
        file.attrs["source"] = fixed("[1]")
        file.attrs["width"] = fixed("wide")

    with hostile(target, forged) as file:
        for name in ("params", "source"):
            with pytest.raises(DataError, match=f"{name}' must be a JSON object or null"):
                hdf5.json_attribute(file, name)
        with pytest.raises(DataError, match="'width' must be int, got str"):
            hdf5.attribute(file, "width", int)
        assert hdf5.attribute(file, "height", int, None) is None


# What may stand for a new run.


def test_an_absent_file_is_absent_and_an_equal_one_is_current(target):
    assert matches(target) == "absent"
    write(target, params=ExtractionParams(), source={"digest": DIGEST, "path": "old/a.avi", "name": "a"})
    assert matches(target, params=ExtractionParams(), source={"digest": DIGEST, "path": "new/a.avi"}) == "current"


def test_another_parameter_is_named_with_both_values(target):
    write(target, params=ExtractionParams(), source={"digest": DIGEST})
    assert matches(target, params=ExtractionParams(length=20)) == (
        f"{target} was written with length=15, this run asks for length=20; use another path or --overwrite"
    )
    assert "with length=15, with stride=5, this run asks for length=20, stride=8" in matches(
        target, params=ExtractionParams(length=20, stride=8)
    )


def test_a_parameter_that_only_one_side_has_is_named(target):
    write(target, params={"a": 1}, source={"digest": DIGEST})
    assert "was written without b, this run asks for b=2" in matches(target, params={"a": 1, "b": 2})
    assert "was written with a=1, this run asks for no a" in matches(target, params={})
    assert matches(target, params={"a": 1}) == "current"


def test_another_source_is_named_with_both_digests(target):
    write(target, source={"digest": DIGEST})
    assert "with digest aaaaaaaaaaaa, this run's has bbbbbbbbbbbb" in matches(target, source={"digest": "b" * 64})
    assert "with boxes none, this run's has cccccccccccc" in matches(
        target, source={"digest": DIGEST, "boxes": "c" * 64}
    )


def test_a_source_without_a_digest_is_never_current(target):
    for source in ({"kind": "camera"}, {"digest": ""}):
        write(target, source=source, overwrite=True)
        assert "without a digest" in matches(target, source=source)


def test_anything_else_under_that_name_is_a_refusal(target):
    target.write_text("my notes")
    assert matches(target) == (
        f"{target} is not an HDF5 file, expected format idt-test; use another path, or --force {target} to lose it"
    )
    write(target, overwrite=[target])
    assert "has version 1 of idt-test, expected 2" in matches(target, version=2)
    whole = target.read_bytes()
    target.write_bytes(whole[: len(whole) // 2])
    assert "is damaged" in matches(target)
    assert matches(target.parent) == f"{target.parent} is a folder, expected a file; use another path"
    os.symlink("nowhere", target.with_name("link"))
    assert "--force" in matches(target.with_name("link"))


def test_the_digest_of_a_file_is_its_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert provenance.digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_digest_of_a_folder_depends_on_names_and_contents_only(tmp_path):
    def folder(name, files):
        for file, content in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(content)
        return provenance.digest(tmp_path / name)

    digest = folder("one", {"a": b"1", "sub/b": b"2"})
    assert folder("two", {"sub/b": b"2", "a": b"1"}) == digest
    assert folder("three", {"a": b"12", "sub/b": b""}) != digest
    assert folder("four", {"a": b"1", "sub-b": b"2"}) != digest
