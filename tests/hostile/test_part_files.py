"""Part files: whose they are, when they go, and what takes the target's name."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from idt import DataError
from idt.files import atomic, lock_file, locks
from idt.files.atomic import replacing, sweep

DEAD = "0123456789abcdef"
"""The token of a part file that nobody holds."""

WRITER = textwrap.dedent("""
    import sys
    from idt.files.atomic import replacing
    target, content, half, overwrite = sys.argv[1], sys.argv[2].encode() * 1000, 1000, sys.argv[3] == "1"
    with replacing(target, overwrite=overwrite) as part:
        part.write(content[:half])
        print("begun", flush=True)
        sys.stdin.readline()
        part.write(content[half:])
""")


def part_of(name, token=DEAD):
    return f".{name}.{token}.part"


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def begin(target, content, *, overwrite=False, apart=()):
    """Start a process that writes a file, and return it half way; ``apart`` are the words that put it elsewhere."""
    words = [*apart, sys.executable, "-c", WRITER, str(target), content, str(int(overwrite))]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if process.stdout.readline() != "begun\n":
        pytest.fail(process.communicate()[1])
    return process


def end(process):
    """Let it write the other half: its exit status, and the last line that it said."""
    err = process.communicate("\n")[1]
    return process.returncode, (err.strip().splitlines() or [""])[-1]


def unshared():
    """Words that start a process as the first of a machine of its own; skipped where that is not permitted."""
    words = ["unshare", "--pid", "--fork", "--mount-proc", "--uts"]
    try:
        subprocess.run([*words, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not unshare")
    return words


# Two writers.


def test_two_machines_of_one_name_and_number_publish_whole_files(target):
    machine = unshared()
    apart = [*machine, "sh", "-c", '/bin/true; "$0" "$@"; exit $?']
    first = begin(target, "a", apart=apart)
    # A third machine looks, where no process has the number of the first one.
    code = f"from idt.files.atomic import sweep; sweep({str(target.parent)!r}, [{target.name!r}])"
    subprocess.run([*machine, sys.executable, "-c", code], check=True)
    second = begin(target, "b", apart=apart)
    assert end(first) == (0, "")
    assert target.read_bytes() == b"a" * 1000
    status, line = end(second)
    assert (status, line) == (1, f"idt.errors.DataError: {target} exists and is not one of this program's files; "
                              f"use another path, or --force {target} to lose it")  # fmt: skip
    assert target.read_bytes() == b"a" * 1000
    assert left_in(target.parent) == [target.name]


def test_the_second_of_two_machines_may_be_ready_first(target):
    apart = unshared()
    first, second = begin(target, "a", apart=apart), begin(target, "b", apart=apart)
    assert end(second)[0] == 0
    assert end(first)[0] == 1
    assert target.read_bytes() == b"b" * 1000
    assert left_in(target.parent) == [target.name]


def test_a_living_part_stays_whatever_its_age_and_a_dead_one_goes_whatever_its_age(target):
    process = begin(target, "a")
    (living,) = target.parent.iterdir()
    dead = target.parent / part_of(target.name)
    for age in (-10, 10):
        day = time.time() - age * 24 * 3600
        os.utime(living, (day, day))
        dead.touch()
        os.utime(dead, (day, day))
        sweep(target.parent, [target.name])
        assert left_in(target.parent) == [living.name]
    assert end(process)[0] == 0
    assert target.read_bytes() == b"a" * 1000


def test_a_writer_that_was_killed_holds_nothing(target):
    process = begin(target, "a")
    process.kill()
    process.communicate()
    assert len(left_in(target.parent)) == 1
    with replacing(target) as part:
        part.write(b"b")
    assert left_in(target.parent) == [target.name]


def test_a_part_of_this_process_is_swept_by_nobody(target):
    with replacing(target) as part:
        sweep(target.parent, [target.name])
        assert part.is_in_place()
        code = f"from idt.files.atomic import sweep; sweep({str(target.parent)!r}, [{target.name!r}])"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert part.is_in_place()


# What takes the name.


@pytest.mark.parametrize("how", ["removed", "replaced", "linked"])
def test_a_part_file_that_is_another_is_not_published(target, how):
    target.write_bytes(b"")

    def write():
        with replacing(target, overwrite=True) as part:
            part.write(b"ours")
            os.unlink(part.path)
            if how == "replaced":
                part.path.write_bytes(b"theirs")
            elif how == "linked":
                part.path.symlink_to(target.name)

    with pytest.raises(OSError, match=r"cannot write .*: its part file was removed or replaced meanwhile"):
        write()
    assert target.read_bytes() == b""
    # What is not ours is not removed either.
    assert len(left_in(target.parent)) == (1 if how == "removed" else 2)


def test_a_file_that_appears_in_the_last_moment_stays(target, monkeypatch):
    link = os.link

    def appear(source, path):
        path.write_bytes(b"theirs")
        link(source, path)

    monkeypatch.setattr(os, "link", appear)
    with pytest.raises(DataError, match="exists"), replacing(target) as part:
        part.write(b"ours")
    assert target.read_bytes() == b"theirs"
    assert left_in(target.parent) == [target.name]


def test_a_file_system_without_hard_links_will_do(target, monkeypatch):
    def no_links(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with replacing(target) as part:
        part.write(b"a")
    with pytest.raises(DataError, match="exists"), replacing(target) as part:
        pytest.fail("it began")
    assert left_in(target.parent) == [target.name]


# Rights.


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666, 0o755])
def test_a_file_keeps_its_mode(target, mode):
    target.touch()
    target.chmod(mode)
    with replacing(target, overwrite=True) as part:
        assert stat.S_IMODE(os.stat(part.path).st_mode) == mode
        part.write(b"a")
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_new_file_has_the_mode_that_the_user_asks_for(target):
    before = os.umask(0o027)
    try:
        with replacing(target) as part:
            part.write(b"a")
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_private_file_is_private_while_it_is_written(target, monkeypatch):
    target.touch()
    target.chmod(0o600)
    seen = []
    opened = os.open

    def look(path, flags, *mode, **given):
        descriptor = opened(path, flags, *mode, **given)
        if str(path).endswith(".part") and flags & os.O_CREAT:
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", look)
    with replacing(target, overwrite=True):
        pass
    assert seen == [0o600]


def test_a_file_keeps_its_owner_and_group_where_that_is_permitted(target):
    if os.getuid():
        pytest.skip("only root may give files away")
    target.touch()
    os.chown(target, 12345, 23456)
    target.chmod(0o640)
    with replacing(target, overwrite=True) as part:
        part.write(b"a")
    found = target.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 23456, 0o640)


def test_another_group_is_not_let_in(target, monkeypatch):
    target.touch()
    target.chmod(0o664)
    found = os.stat(target)
    theirs = os.stat_result((*found[:5], found.st_gid + 1, *found[6:]))
    monkeypatch.setattr(atomic, "_stat", lambda path: theirs)

    def forbidden(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", forbidden)
    with replacing(target, overwrite=True) as part:
        part.write(b"a")
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


# Names.


@pytest.mark.parametrize(
    "name",
    [
        "n" * 245,
        "n" * 255,
        "ü" * 127,
        "two\nlines.h5",
        "space ",
        " .h5",
        "-o",
        "[a]*?.h5",
        "a.part",
        ".h5",
        "\udcff.h5",
    ],
)
def test_every_name_that_the_system_takes_is_written_and_swept(tmp_path, name):
    for overwrite in (False, True):
        (tmp_path / part_of(locks.hidden_stem(name))).touch()
        with replacing(tmp_path / name, overwrite=overwrite) as part:
            assert len(left_in(tmp_path)) == 1 + overwrite
            part.write(b"")
        assert left_in(tmp_path) == [name]


def test_long_names_have_part_files_of_their_own(tmp_path):
    one, other = ("n" * 250 + letter for letter in "ab")
    (tmp_path / part_of(locks.hidden_stem(other))).touch()
    with replacing(tmp_path / one):
        pass
    assert left_in(tmp_path) == sorted([one, part_of(locks.hidden_stem(other))])


def test_what_only_has_the_name_of_a_part_file_is_left_alone(target, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    os.mkfifo(tmp_path / part_of(target.name, "1" * 16))
    (tmp_path / part_of(target.name, "2" * 16)).mkdir()
    (tmp_path / part_of(target.name, "3" * 16)).symlink_to(mine)
    (tmp_path / part_of(target.name, "notatoken")).write_text("mine")
    (tmp_path / f".{target.name}.notes-1.part").write_text("mine")
    before = left_in(tmp_path)
    with replacing(target):
        pass
    assert left_in(tmp_path) == sorted([*before, target.name])


# File systems without locks.


@pytest.fixture(params=[errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP])
def no_locks(request, monkeypatch):
    def flock(*_):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)


def test_without_locks_a_file_is_written_all_the_same(target, no_locks):
    with replacing(target) as part:
        part.write(b"a")
    assert left_in(target.parent) == [target.name]


@pytest.mark.parametrize("wrong", [-2 * 24 * 3600, 2 * 24 * 3600])
def test_without_locks_the_clock_is_that_of_the_file_system(target, no_locks, monkeypatch, wrong):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + wrong)
    young, old = (target.parent / part_of(target.name, digit * 16) for digit in "12")
    for path, age in ((young, 23 * 3600), (old, 25 * 3600)):
        path.touch()
        os.utime(path, (now - age, now - age))
    sweep(target.parent, [target.name])
    assert left_in(target.parent) == [young.name]


def test_a_part_file_that_a_sweeper_holds_gives_way_to_another(target, monkeypatch):
    taken = []
    take = lock_file.take

    def taken_once(descriptor, **given):
        taken.append(descriptor)
        return False if len(taken) == 1 else take(descriptor, **given)

    monkeypatch.setattr(lock_file, "take", taken_once)
    with replacing(target) as part:
        part.write(b"a")
    assert len(taken) == 2
    assert left_in(target.parent) == [target.name]


@pytest.mark.parametrize("suffix", [".part", ".lock"])
def test_a_process_that_gives_up_in_the_moment_of_opening_leaves_nothing(target, monkeypatch, suffix):
    opened, left = os.open, []

    def end_then(path, flags, *mode, **given):
        descriptor = opened(path, flags, *mode, **given)
        if str(path).endswith(suffix) and flags & os.O_CREAT and not left:
            left.append(None)
            atomic.remove_own_parts()
            left.append(left_in(target.parent))
            raise KeyboardInterrupt
        return descriptor

    monkeypatch.setattr(os, "open", end_then)
    with pytest.raises(KeyboardInterrupt), locks.held(files=[target]), replacing(target):
        pytest.fail("it began")
    assert left == [None, []]
    assert left_in(target.parent) == []


def test_a_process_that_gives_up_takes_its_part_files_and_its_locks_along(target):
    found = []

    def write():
        with locks.held(files=[target]), replacing(target):
            found.append(left_in(target.parent))
            atomic.remove_own_parts()
            found.append(left_in(target.parent))

    with pytest.raises(OSError, match="meanwhile"):
        write()
    assert [len(names) for names in found] == [2, 0]
    assert left_in(target.parent) == []
