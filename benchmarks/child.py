"""Process that `bench_command` starts: it runs the command of this checkout and prints its costs as JSON.

python -m benchmarks.child first VIDEO            end at the first tracks; print the seconds of the processor
python -m benchmarks.child N VIDEO -o FILE ...    run idt-extract N times; print seconds and peak memory
"""

import sys
from pathlib import Path
from time import perf_counter, process_time


def main():
    """Run one of the two modes."""
    if sys.argv[1] == "first":
        _first_tracks(sys.argv[2])
    else:
        _extract(int(sys.argv[1]), sys.argv[2:])


def _first_tracks(video):
    import idt

    for chunk in idt.stream(video):
        if len(chunk):
            print(f'{{"processor": {process_time()}}}')
            return


def _extract(times, arguments):
    from idt.cli import extract

    output = Path(arguments[arguments.index("-o") + 1])
    seconds = []
    for _ in range(times):
        output.unlink(missing_ok=True)  # otherwise the command would skip it as up to date
        began = perf_counter()
        status = extract(arguments)
        if status:
            sys.exit(status)
        seconds.append(perf_counter() - began)
    print(f'{{"seconds": {seconds}, "processor": {process_time()}, "peak": {peak_megabytes()}}}')


def peak_megabytes():
    """Return the peak memory of this process, null where the system does not tell.

    Not ``ru_maxrss``, which remembers the process that started this one.
    """
    try:
        with open("/proc/self/status") as status:
            lines = dict(line.split(":", 1) for line in status)
    except OSError:
        return "null"
    return int(lines["VmHWM"].split()[0]) / 1000


if __name__ == "__main__":
    main()
