"""Threads, processes and clusters, and the options of a run.

threads     a work-stealing pool for the scales of one frame
blas        one thread for linear algebra
read_ahead  the next items of an iterator, in a thread of their own
processes   many tasks in processes; the death of a process costs one task
worker      a worker process, the parent's side
serve       a worker process, the child's side
patience    timeout of a decoder that hangs
channel     objects between two processes
signals     signal handling of a command, so that no process, part file or temporary folder is left
cluster     the machines of a Dask cluster
kernel_folder  temporary folder for compiled kernels, if no other is writable
in_order    many tasks, their results in order
memory      allocator settings, so that freed memory is kept for the next frame
run_options  how a run is done: processes, threads, overwriting, progress
progress    bars on stderr
profile     wall time and memory by stage (--profile)
"""
