"""How tools/torture.py disturbs a system call of a program, and knows which there are.

Both ways have the same functions:

    is_there()                     whether it works here
    watch(log, folder)             words before a command, with which its calls on the folder's files come into a log
    disturb(log, folder, fault)    the same, with a Fault
    calls(log, folder)             of a log: (call, its number, path in the folder) of each
    was_disturbed(log)             of a log: whether the fault's call was made
    is_elsewhere(log, folder)      of a log: whether a call of that name and number was also made on something else
"""
import collections
import dataclasses
import errno
import os
import re
import shutil
import signal
import subprocess

# What may fail, and how.
ERRORS = {
    "openat": "EACCES EIO EMFILE ENFILE ENOMEM ENOSPC ESTALE EROFS",
    "read": "EIO ESTALE", "pread64": "EIO ESTALE", "getdents64": "EIO ESTALE",
    "write": "ENOSPC EIO EDQUOT", "pwrite64": "ENOSPC EIO EDQUOT",
    "fsync": "EIO ENOSPC EDQUOT", "close": "EIO ENOSPC EDQUOT",
    "newfstatat": "EIO EACCES ESTALE", "lseek": "EIO", "ftruncate": "EIO",
    "rename": "EIO ENOSPC EACCES ESTALE", "link": "EIO ENOSPC EPERM", "unlink": "EIO EACCES", "unlinkat": "EIO EACCES",
    "mkdir": "ENOSPC EACCES EROFS", "rmdir": "EIO", "utimensat": "EIO EACCES", "access": "EIO EROFS",
}


@dataclasses.dataclass
class Fault:
    """The call of that name with that number, counted from 1, fails with an error or comes with a signal; with `stays`, all after
    it do too."""
    call: str
    number: int
    error: str = ""
    signal: str = ""
    stays: bool = False

    def __str__(self):
        what = f"{self.error} of" if self.error else f"{self.signal} at"
        return f"{what} {self.call} {self.number}{' and after' if self.stays else ''}"


def logged_calls(log, folder, of_thread):
    """`of_thread`: calls are counted in each thread or process, whatever their files are."""
    numbers, calls = collections.Counter(), []
    with open(log, errors="replace") as file:
        for line in file:
            found = re.match(r"(\d+) +(\w+)\((.*)", line)
            if not found:
                continue
            path = re.search(re.escape(folder) + r'([^>"]*)', found[3]) if of_thread else re.match("(.*)\\)", found[3])
            numbers[found[1], found[2]] += 1
            if path:
                calls.append((found[2], numbers[found[1], found[2]], path[1]))
    return calls


class Strace:
    """All system calls, those of libraries and of the process that reads HDF5 too. Needs strace, and a system that allows it."""
    name = "strace"

    @staticmethod
    def is_there():
        probe = ["strace", "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "true"]
        return shutil.which("strace") is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0

    @staticmethod
    def command(log, names, *rest):
        return ["strace", "-f", "--seccomp-bpf", "-y", "-qq", "-o", log, "-e", f"trace={names}", "-e", "signal=none", *rest]

    def watch(self, log, _folder):
        return self.command(log, ",".join(ERRORS))

    def disturb(self, log, _folder, fault):
        what = f"error={fault.error}" if fault.error else f"signal={fault.signal}"
        when = f"{fault.number}{'+' if fault.stays else ''}"
        return self.command(log, fault.call, "-e", f"inject={fault.call}:{what}:when={when}")

    @staticmethod
    def calls(log, folder):
        return logged_calls(log, folder, True)

    @staticmethod
    def was_disturbed(log):
        with open(log, errors="replace") as file:
            return "(INJECTED)" in file.read()

    @staticmethod
    def is_elsewhere(log, folder):
        """Each thread has a call of that number."""
        with open(log, errors="replace") as file:
            return any("(INJECTED)" in line and folder not in line for line in file)


class Preload:
    """Calls of libc on the folder's files that programs and libraries make themselves. Needs tests/torture/preload_faults.c, built."""
    name = "preload"

    def __init__(self, library):
        self.library = library

    def is_there(self):
        return os.path.exists(self.library)

    def watch(self, log, folder):
        return ["env", f"LD_PRELOAD={self.library}", f"TORTURE_FOLDER={folder}", f"TORTURE_LOG={log}"]

    def disturb(self, log, folder, fault):
        number = getattr(errno, fault.error) if fault.error else 0
        signal_number = int(signal.Signals[fault.signal]) if fault.signal else 0
        what = f"{fault.call} {fault.number} {int(fault.stays)} {number} {signal_number}"
        return self.watch(log, folder) + [f"TORTURE_FAULT={what}"]

    @staticmethod
    def calls(log, folder):
        return logged_calls(log, folder, False)

    was_disturbed = staticmethod(Strace.was_disturbed)

    @staticmethod
    def is_elsewhere(_log, _folder):
        return False
