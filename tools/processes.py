"""Processes that a script starts, watches and ends: by their numbers, those of their children, and nothing else.

What must hold and does not is an AssertionError.
"""
import ctypes
import os
import signal
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Makes the ranks of a killed mpirun this process's children, so that it can wait for their end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name, or None where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def is_alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def runs(pid, program):
    try:
        return os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(program)
    except OSError:
        return False


def descendants(pid):
    parents = {}
    for name in os.listdir("/proc"):
        fields = stat_fields(name) if name.isdigit() else None
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def signal_to(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.002)


class Job:
    """A running command. `status`, `output` (what it printed) and `seconds` once it has ended.

    `limit`: seconds that it does not take: longer is a hang. `prepare` is called in the new process, and what that prints comes through
    a pipe, as a limit on files must not hit it.
    """

    def __init__(self, command, environment, limit, prepare=None):
        self.command, self.limit = command, limit
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if prepare else self.log,
                                        stderr=subprocess.STDOUT, env=environment, preexec_fn=prepare, errors="replace")
        self.status, self.output, self.seconds = None, "", None

    def processes(self):
        return [self.process.pid] + descendants(self.process.pid)

    def ranks(self, program):
        """The processes that run the program, in the order of their starts."""
        return sorted(pid for pid in self.processes() if runs(pid, program))

    def wait(self, limit=None):
        limit = limit or self.limit
        try:
            piped = self.process.communicate(timeout=limit)[0]
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{' '.join(self.command)} did not end in {limit} s:\n{self.output}") from None
        return self.finish(piped)

    def finish(self, piped=None):
        self.status = self.process.returncode
        if not self.log.closed:
            self.seconds = time.monotonic() - self.started
            self.log.seek(0)
            self.output = piped or self.log.read()
            self.log.close()
        return self

    def kill(self):
        """SIGKILL to the command and all below it. It is stopped first, so that nothing new is born meanwhile."""
        if self.process.poll() is not None:
            return self.finish()
        signal_to(self.process.pid, signal.SIGSTOP)
        pids = self.processes()
        for pid in pids:
            signal_to(pid, signal.SIGKILL)
        return self.wait_for_all(pids)

    def wait_for_all(self, pids):
        """For the end of the command and of these processes, which were below it."""
        self.wait()
        wait_until(lambda: not any(is_alive(pid) for pid in pids), self.limit, f"the ends of {pids}")
        for pid in pids[1:]:
            try:
                os.waitpid(pid, 0)  # a first thread may be dead before the others are
            except ChildProcessError:
                pass
        return self
