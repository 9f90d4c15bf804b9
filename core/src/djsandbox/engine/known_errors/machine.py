"""Known errors of the machine: its disk, its memory, its limits and what is installed on it."""

from __future__ import annotations

from djsandbox.components.known_errors import KnownError

KNOWN_ERRORS = (
    KnownError(
        "java is missing",
        r"(?<![\w.])(?:java: (?:command )?not found|(?i:java not found))|command not found: java\b"
        r"|No such file or directory: '(?:[^']*/)?java'|(?:^|: )\W?java\W?: No such file|\bjava was not found on the PATH"
        r"|no 'java' command could be found|Unable to locate a Java Runtime",
        "The program starts a Java program: METEOR, SPICE and the tokenizer of the caption metrics (pycocoevalcap) are such.",
        "Install a Java runtime, for example with apt install default-jre-headless, and see that java is on the PATH or in "
        "JAVA_HOME.",
    ),
    KnownError(
        "the disk is full",
        r"^(?!.*(?:/dev/shm|</torch_)).*(?:No space left on device|Disk quota exceeded)",
        "There is no room where the program writes: the outputs, its temporary files (TMPDIR), a model cache (HF_HOME) or the "
        "environments of djsandbox.",
        "df -h shows which disk it is. djsandbox envs gc removes environments that nobody uses; DJSANDBOX_ENVS, TMPDIR and "
        "HF_HOME say where things go; fewer checkpoints (save_total_limit) need less.",
    ),
    KnownError(
        "too little shared memory",
        r"insufficient shared memory \(shm\)|is killed by signal: Bus error"
        r"|unable to (?:write to|open|mmap) (?:\d+ bytes from )?(?:file|shared memory object) </torch_"
        r"|Error while creating shared memory segment|/dev/shm\b.*No space left on device",
        "Workers that load data, and processes that train together, hand things over in /dev/shm, which is full: containers "
        "often have only 64 MB.",
        "Give the container more (docker run --shm-size=16g, or --ipc=host), or use fewer workers that load data "
        "(num_workers, dataloader_num_workers: 0).",
    ),
    KnownError(
        "too little memory",
        r"\b_?(?:Array)?MemoryError\b|\[Errno 12\]|DefaultCPUAllocator: (?:can't allocate memory|not enough memory)"
        r"|std::bad_alloc|java\.lang\.OutOfMemoryError|Signal 9 \(SIGKILL\) received by PID|\bexitcode\s*: -9\b"
        r"|\(exitcode: -9\)|is killed by signal: Killed|: line \d+: +\d+ Killed\b",
        "The machine, the container or the batch job has no memory left; the kernel then kills a process (exit code -9).",
        "Let fewer tasks run at once (launcher: {max_parallel: 1}), load data with fewer workers (num_workers, num_proc), "
        "read it piece by piece, or ask for more memory. dmesg says which process was killed.",
    ),
    KnownError(
        "too many open files",
        r"Too many open files|received \d+ items of ancdata",
        "The process has reached the number of files it may have open (ulimit -n), often because of many workers that load "
        "data.",
        "Raise it before djsandbox is started (ulimit -n 65536), or use fewer workers that load data (num_workers).",
    ),
    KnownError(
        "a library for pictures is missing (OpenCV)",
        r"lib(?:GL\.so\.1|GLX\S*|gthread-2\.0\.so\.0|SM\.so\.6|Xext\.so\.6|Xrender\.so\.1|xcb\S*): cannot open shared object",
        "OpenCV with windows wants libraries that servers and containers lack.",
        "Take it without windows: env_params: {requirements: [opencv-python-headless], leave_out: [opencv-python]}; or "
        "install them: apt install libgl1 libglib2.0-0.",
    ),
    KnownError(
        "the system's C library is too old",
        r"version [`'\"]?(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+'? not found",
        "A package was compiled on a newer system: it needs a newer glibc (GLIBC_...) or libstdc++ (GLIBCXX_..., CXXABI_...) "
        "than this one has.",
        "Take an older release of the package (env_params: {requirements: [...]}) or have it compiled here (pip_options: "
        "[--no-binary=NAME]). A newer libstdc++ comes with conda (libstdcxx-ng); a newer glibc only with a newer system or "
        "container.",
    ),
)
"""In the order in which they are documented."""
