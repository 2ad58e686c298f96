"""What hostile programs do once they are plain CPython: one act each, an expression that is true when it got through.

`i` holds the inputs that say where the canaries are. System call numbers are those of x86_64.
Sources: syscalls(2); the seccomp profiles' changelogs of container runtimes; Dirty-pipe-era write-ups of io_uring.
"""

import textwrap

_PRELUDE = """
import asyncio, ctypes, mmap, multiprocessing, os, resource, signal, socket, subprocess, threading

libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = ctypes.c_void_p
buffer = ctypes.create_string_buffer(4096)


def call(*arguments):
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    answer = libc.syscall(*wide)
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer or True


def connected(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as made:
        made.settimeout(2)
        made.connect(address)
        return made.send(b"reached")


def forked():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def read_memory(pid):
    local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    remote = (ctypes.c_void_p * 2)(id(libc), 8)
    return call(310, pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)


def run(inputs):
    i = inputs
    try:
        got = ACT
    except (OSError, RuntimeError, ValueError, ImportError, MemoryError):
        got = None
    return {"got": repr(got)[:200] if got else None}
"""

# Acts that plain processes are permitted: each is also run without the wall and must then succeed.
_PERMITTED = {
    "reads the file": "open(i['file']).read()",
    "reads the file by descriptor": "os.read(os.open(i['file'], os.O_RDONLY), 100)",
    "reads the file through C": "libc.fopen(i['file'].encode(), b'r')",
    "reads the file by mmap": "mmap.mmap(os.open(i['file'], os.O_RDONLY), 0, prot=mmap.PROT_READ)[:]",
    "writes beside the file": "open(i['file'] + '.planted', 'w').write('x')",
    "makes a directory": "os.mkdir(i['file'] + '.d') is None",
    "makes a link": "os.symlink(i['file'], i['file'] + '.link') is None",
    "removes the file": "os.unlink(i['file']) is None",
    "renames the file": "os.rename(i['file'], i['file'] + '.gone') is None",
    "hides the file": "os.chmod(i['file'], 0) is None",
    "lists the directory": "os.listdir(os.path.dirname(i['file']))",
    "looks at the file": "os.stat(i['file'])",
    "asks for access to the file": "os.access(i['file'], os.R_OK)",
    "reads a link": "os.readlink('/proc/self/exe')",
    "reads its own maps": "open('/proc/self/maps').read()",
    "reads the password file": "open('/etc/passwd').read()",
    "reads a library": "open(os.__file__).read()",
    "changes directory": "os.chdir('/tmp') is None",
    "connects by TCP": "connected(socket.AF_INET, ('127.0.0.1', i['port']))",
    "connects to an abstract socket": "connected(socket.AF_UNIX, chr(0) + i['abstract'])",
    "sends a datagram": "connected(socket.AF_INET, ('127.0.0.1', i['port']), socket.SOCK_DGRAM)",
    "connects from a coroutine": "asyncio.run(asyncio.open_connection('127.0.0.1', i['port']))",
    "listens": "socket.create_server(('127.0.0.1', 0))",
    "resolves a name": "socket.getaddrinfo('localhost', i['port'])",
    "makes a socket pair": "socket.socketpair()",
    "makes a pipe": "os.pipe()",
    "makes a file in memory": "os.memfd_create('x')",
    "asks the kernel's network": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "forks": "forked()",
    "starts a program": "subprocess.run(['/bin/true']).returncode == 0",
    "spawns a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "starts a shell": "os.system('true') == 0",
    "starts a process of Python": "multiprocessing.get_context('fork').Process(target=print).start() is None",
    "starts a thread": "threading.Thread(target=id, args=(1,)).start() is None",
    "kills the process": "os.kill(i['victim'], signal.SIGKILL) is None",
    "kills it by descriptor": "signal.pidfd_send_signal(os.pidfd_open(i['victim']), signal.SIGKILL) is None",
    "asks whether it lives": "os.kill(i['victim'], 0) is None",
    "slows the process": "os.setpriority(os.PRIO_PROCESS, i['victim'], 19) is None",
    "pins the process": "os.sched_setaffinity(i['victim'], os.sched_getaffinity(0)) is None",
    "reads the environment of a process": "open(f\"/proc/{i['victim']}/environ\").read()",
    "reads the environment of the server": "open(f\"/proc/{i['server']}/environ\").read()",
    "reads the command line of the server": "open(f\"/proc/{i['server']}/cmdline\").read()",
    "reads the file through another root": "open(f\"/proc/{i['server']}/root{i['file']}\").read()",
    "reads the descriptors of the server": "os.listdir(f\"/proc/{i['server']}/fd\")",
    "maps memory that runs": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "duplicates a descriptor": "os.dup(0)",
    "changes its session": "os.setsid() is None",
    "changes its mask": "os.umask(0) >= 0",
    "runs a coroutine": "asyncio.run(asyncio.sleep(0, result=1))",
}
_REFUSED = {
    "limits the process": "resource.prlimit(i['victim'], resource.RLIMIT_CORE, (0, 0))",
    "signals everybody": "os.kill(-1, signal.SIGKILL) is None",
    "signals its parent": "os.kill(os.getppid(), signal.SIGKILL) is None",
    "signals the first process": "os.kill(1, signal.SIGKILL) is None",
    "signals its group": "os.killpg(0, signal.SIGKILL) is None",
    "becomes a program": "os.execv('/bin/true', ['true'])",
    "becomes root": "os.setuid(0) is None",
    "changes its groups": "os.setgroups([0]) is None",
    "changes its root": "os.chroot('/') is None",
    "raises its memory": "resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2) is None",
    "raises its descriptors": "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)) is None",
    "raises its processes": "resource.setrlimit(resource.RLIMIT_NPROC, (64, 64)) is None",
    "writes a device": "open('/dev/null', 'w')",
    "reads the memory of the server": "open(f\"/proc/{i['server']}/mem\", 'rb')",
    "reads the kernel's memory": "open('/proc/kcore', 'rb')",
    "reads the log of the kernel": "open('/dev/kmsg', 'rb')",
}
_RAW = {
    "opens the file by open": "call(2, i['file'].encode(), 0)",
    "opens the file by openat": "call(257, -100, i['file'].encode(), 0)",
    "opens the file by openat2": "call(437, -100, i['file'].encode(), bytes(24), 24)",
    "opens the file by its handle": "call(304, -100, buffer, 0)",
    "makes a socket": "call(41, 2, 1, 0)",
    "makes a virtual machine's socket": "call(41, 40, 1, 0)",
    "makes a crypto socket": "call(41, 38, 5, 0)",
    "makes a packet socket": "call(41, 17, 3, 0)",
    "receives a descriptor": "call(47, 0, buffer, 0)",
    "sends a descriptor": "call(46, 0, buffer, 0)",
    "connects its channel": "call(42, 0, buffer, 16)",
    "makes a ring": "call(425, 4, buffer)",
    "enters a ring": "call(426, 0, 1, 0, 0, 0, 0)",
    "forks by clone": "call(56, 17, 0, 0, 0, 0)",
    "forks by vfork": "call(58)",
    "forks by clone3": "call(435, bytes(64), 64)",
    "becomes a program by execveat": "call(322, -100, b'/bin/true', 0, 0, 0)",
    "signals a thread of the process": "call(234, i['victim'], i['victim'], 9)",
    "queues a signal": "call(129, i['victim'], 9, buffer)",
    "reads the memory of a process": "read_memory(i['victim'])",
    "writes the memory of a process": "call(311, i['victim'], buffer, 1, buffer, 1, 0)",
    "traces a process": "call(101, 16, i['victim'], 0, 0)",
    "traces the server": "call(101, 16, i['server'], 0, 0)",
    "takes a descriptor of the server": "call(438, call(434, i['server'], 0), 1, 0)",
    "compares with the server": "call(312, i['server'], i['victim'], 0, 0, 0)",
    "makes namespaces": "call(272, 0x10000000)",
    "enters a namespace": "call(308, 0, 0)",
    "mounts": "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "changes its root by pivot_root": "call(155, b'.', b'.')",
    "opens a tree": "call(428, -100, b'/', 0)",
    "uses the keyring": "call(250, 0, -3, 0, 0, 0)",
    "adds a key": "call(248, b'user', b'x', b'y', 1, -3)",
    "loads a BPF program": "call(321, 5, buffer, 64)",
    "handles page faults": "call(323, 0)",
    "opens performance counters": "call(298, buffer, 0, -1, -1, 0)",
    "makes shared memory": "call(29, 0, 4096, 0o1600)",
    "makes a message queue": "call(240, b'x', 0o102, 0o600, 0)",
    "makes a semaphore": "call(64, 0, 1, 0o1600)",
    "changes its personality": "call(135, 0x0040000)",
    "changes its own segment table": "call(154, 1, buffer, 16)",
    "loads a kernel module": "call(175, buffer, 16, b'')",
    "names the machine": "call(170, b'x', 1)",
    "sets the clock": "call(227, 0, buffer)",
    "becomes dumpable": "call(157, 4, 1, 0, 0, 0)",
    "replaces its filter": "call(317, 1, 0, buffer)",
    "makes memory run": "call(10, ctypes.addressof(buffer) & ~4095, 4096, 7)",
    "lets memory run through a key": "call(329, ctypes.addressof(buffer) & ~4095, 4096, 7, 0)",
    "reads its own limits from afar": "call(302, i['victim'], 0, 0, buffer)",
    "watches a directory": "call(253)",
    "makes a timer": "call(222, 0, 0, buffer)",
    "asks for an alarm": "call(37, 1)",
}

ACTS = {**_PERMITTED, **_REFUSED, **_RAW}
CONTROLS = tuple(_PERMITTED)
RAW = frozenset(_RAW)


def program_of(name: str) -> str:
    """The source of a program that tries the act."""
    return textwrap.dedent(_PRELUDE).replace("ACT", ACTS[name])
