"""The meanings that a register may have: what rows of the table are made of."""

from __future__ import annotations

from syscalls.kind import Kind, map_flag_names, prot_names
from syscalls.text import (
    arch_prctl,
    capabilities,
    clocks,
    fcntl,
    files,
    futex,
    ioctl,
    memory,
    polling,
    prctl,
    process,
    siginfo,
    signals,
    sockets,
    strings,
    structures,
    timex,
    waiting,
)
from syscalls.text.sight import (
    address,
    hexadecimal,
    low_hexadecimal,
    unsigned,
)

ADDRESS = Kind("address", text=address)
RAW = Kind("register", text=hexadecimal)
SIZE = Kind("size")
INT = Kind("int", bits=32)
UNSIGNED = Kind("unsigned int", bits=32, text=unsigned)
LONG = Kind("long", bits=64)
OFFSET = Kind("offset", text=memory.offset)
PROT = Kind("prot", names=prot_names, text=memory.PROT)
MAP_FLAGS = Kind("flags", names=map_flag_names, text=memory.map_flags)

# Files
FD = Kind("file descriptor", bits=32)
DIRFD = Kind("file descriptor of a folder", bits=32, text=files.dirfd)
PATH = Kind("path", text=strings.path)
PATH_OUT = Kind("path, answered", text=strings.path_out, late=True)
STRING = Kind("string", text=strings.string)
BYTES_IN = Kind("bytes", text=strings.bytes_in)
RANDOM_OUT = Kind("random bytes", text=strings.random_out, late=True)
BYTES_OUT = Kind("bytes, answered", text=strings.bytes_out, late=True)
IOVEC_IN = Kind("vector of bytes", text=strings.vector_in)
IOVEC_OUT = Kind("vector of bytes, answered", text=strings.vector_out, late=True)
OFFSET_HIGH = Kind("high half of an offset", text=files.unshown)
SENDFILE_OFFSET = Kind("offset of sendfile", text=files.sendfile_offset, then=files.new_offset)
OFFSET_AT = Kind("offset, changed", text=files.offset_at)
LENGTH = Kind("length of truncate", bits=64, text=files.length)
RWF_FLAGS = Kind("flags of preadv2", bits=32, text=files.RWF)
MODE = Kind("mode", text=files.mode)
NODE_MODE = Kind("mode of mknod", text=files.node_mode, hides=files.is_no_device)
NODE_DEVICE = Kind("device of mknod", text=files.node_device)
OPEN_FLAGS = Kind("flags of open", bits=32, text=files.open_flags, hides=files.creates_nothing)
LONE_OPEN_FLAGS = Kind("flags of dup3, pipe2", bits=32, text=files.lone_flags)
OPEN_HOW = Kind("struct open_how", text=files.open_how)
ACCESS_MODE = Kind("mode of access", bits=32, text=files.ACCESS_MODE)
AT_FLAGS = Kind("flags of the ...at calls", bits=32, text=files.AT)
FACCESSAT_FLAGS = Kind("flags of faccessat2", bits=32, text=files.AT_EACCESS)
WHENCE = Kind("whence", bits=32, text=files.WHENCE)
STAT_OUT = Kind("struct stat", text=structures.stat, late=True)
STATX_FLAGS = Kind("flags of statx", bits=32, text=structures.statx_flags)
STATX_MASK = Kind("mask of statx", text=structures.statx_mask)
STATX_OUT = Kind("struct statx", text=structures.statx, late=True)
STATFS_OUT = Kind("struct statfs", text=structures.statfs, late=True)
FCNTL_COMMAND = Kind("command of fcntl", bits=32, text=fcntl.command, answer=fcntl.answer)
FCNTL_ARGUMENT = Kind("argument of fcntl", text=fcntl.argument, late=fcntl.is_late)
IOCTL_REQUEST = Kind("request of ioctl", text=ioctl.request)
IOCTL_ARGUMENT = Kind("argument of ioctl", text=ioctl.argument, late=ioctl.is_late)
DIRENTS_OUT = Kind("struct linux_dirent64", text=structures.entries64, late=True)
OLD_DIRENTS_OUT = Kind("struct linux_dirent", text=structures.entries, late=True)
POLLFDS = Kind("struct pollfd", text=polling.pollfds, answer=polling.poll_answer)
SELECT_COUNT = Kind("descriptors of select", bits=32, answer=polling.select_answer)
FD_SET = Kind("fd_set", text=polling.fd_set)
SELECT_MASK = Kind("mask of pselect6", text=polling.mask_and_size)
FADVICE = Kind("advice of fadvise64", bits=32, text=files.FADVICE)
FLOCK = Kind("operation of flock", bits=32, text=files.flock_operation)
FALLOCATE_MODE = Kind("mode of fallocate", bits=32, text=files.FALLOCATE)
RENAME_FLAGS = Kind("flags of renameat2", bits=32, text=files.RENAME)
CLOSE_RANGE_FLAGS = Kind("flags of close_range", bits=32, text=files.CLOSE_RANGE)
EVENTFD_FLAGS = Kind("flags of eventfd2", bits=32, text=files.EVENTFD)
MEMFD_FLAGS = Kind("flags of memfd_create", bits=32, text=files.memfd_flags)
XATTR_FLAGS = Kind("flags of setxattr", bits=32, text=files.XATTR)
XATTR_IN = Kind("value of setxattr", text=strings.xattr_in)
XATTR_LIST_OUT = Kind("names of attributes", text=strings.xattr_list, late=True)
XATTR_OUT = Kind("value of getxattr", text=strings.xattr_value, late=True)
SPLICE_FLAGS = Kind("flags of splice", bits=32, text=files.SPLICE)
SYNC_RANGE_FLAGS = Kind("flags of sync_file_range", bits=32, text=files.SYNC_RANGE)
FD_PAIR_OUT = Kind("two file descriptors", text=strings.file_descriptors, late=True)
OWNER = Kind("user or group", bits=32, text=strings.user_id)
EPOLL_OP = Kind("operation of epoll_ctl", bits=32, text=polling.EPOLL_OP)
EPOLL_FLAGS = Kind("flags of epoll_create1", bits=32, text=polling.EPOLL_CREATE)
EPOLL_EVENT = Kind("struct epoll_event", text=polling.epoll_event)
EPOLL_EVENTS_OUT = Kind("struct epoll_event, answered", text=polling.epoll_events, late=True)
SOCKET_FAMILY = Kind("family of addresses", bits=32, text=sockets.FAMILY)
SOCKET_TYPE = Kind("type of a socket", bits=32, text=sockets.kind)
UMASK = Kind("mask of umask", bits=32, text=files.mode)

# Memory
MREMAP_FLAGS = Kind("flags of mremap", text=memory.MREMAP, hides=memory.tells_no_target)
MADVICE = Kind("advice of madvise", bits=32, text=memory.MADVICE)
MSYNC_FLAGS = Kind("flags of msync", bits=32, text=memory.MSYNC)
MLOCK2_FLAGS = Kind("flags of mlock2", bits=32, text=memory.MLOCK2)
MLOCKALL_FLAGS = Kind("flags of mlockall", bits=32, text=memory.MLOCKALL)
MINCORE_OUT = Kind("vector of mincore", text=memory.resident, late=True)
PKEY_RIGHTS = Kind("rights of a key", text=memory.PKEY_RIGHTS)

# Signals
SIGNAL = Kind("signal", bits=32, text=signals.signal)
SIGACTION_IN = Kind("struct sigaction", text=signals.action)
SIGACTION_OUT = Kind("struct sigaction, answered", text=signals.action, late=True)
SIGMASK_HOW = Kind("how of sigprocmask", bits=32, text=signals.MASK_HOW)
SIGSET_IN = Kind("sigset_t", text=signals.sigset_sized)
SIGSET_FIRST = Kind("sigset_t before its size", text=signals.sigset_before_size)
SIGSET_OUT = Kind("sigset_t, answered", text=signals.sigset_sized, late=True)
PENDING_OUT = Kind("sigset_t of rt_sigpending", text=signals.pending, late=True)
SIGINFO_IN = Kind("siginfo_t", text=siginfo.siginfo)
SIGINFO_OUT = Kind("siginfo_t, answered", text=siginfo.siginfo, late=True, answer=siginfo.received)
SIGNALFD_FLAGS = Kind("flags of signalfd4", bits=32, text=signals.SIGNALFD)
SIGRETURN = Kind("what rt_sigreturn brings back", bits=64, unasked=signals.returns)
STACK_IN = Kind("stack_t", text=signals.stack)
STACK_OUT = Kind("stack_t, answered", text=signals.stack, late=True)

# Time
CLOCK = Kind("clock", bits=32, text=clocks.CLOCK)
TIMESPEC_IN = Kind("struct timespec", text=clocks.timespec)
TIMESPEC_OUT = Kind("struct timespec, answered", text=clocks.timespec, late=True)
TIMESPEC_LEFT = Kind("struct timespec, what was left", text=clocks.remaining, late=True)
TIMEVAL_IN = Kind("struct timeval", text=clocks.timeval)
TIMEVAL_OUT = Kind("struct timeval, answered", text=clocks.timeval, late=True)
TIMEZONE_IN = Kind("struct timezone", text=clocks.timezone)
TIMEZONE_OUT = Kind("struct timezone, answered", text=clocks.timezone, late=True)
TIME_OUT = Kind("time_t, answered", text=clocks.time_out, late=True)
TIME_ANSWER = Kind("time_t", bits=64, text=clocks.time_answer)
TMS_OUT = Kind("struct tms, answered", text=clocks.tms, late=True)
TIMEX = Kind("struct timex", text=timex.timex, late=True, answer=timex.answer)
CLOCK_FLAGS = Kind("flags of clock_nanosleep", bits=32, text=clocks.CLOCK_FLAGS)
UTIMES_IN = Kind("two struct timespec", text=clocks.file_times)
UTIMEVALS_IN = Kind("two struct timeval", text=clocks.file_timevals)
UTIME_IN = Kind("struct utimbuf", text=clocks.file_seconds)
ITIMER = Kind("interval timer", bits=32, text=clocks.ITIMER)
ITIMERVAL_IN = Kind("struct itimerval", text=clocks.itimer)
ITIMERVAL_OUT = Kind("struct itimerval, answered", text=clocks.itimer, late=True)
ITIMERSPEC_IN = Kind("struct itimerspec", text=clocks.itimerspec)
ITIMERSPEC_OUT = Kind("struct itimerspec, answered", text=clocks.itimerspec, late=True)
TIMERFD_FLAGS = Kind("flags of timerfd_create, timerfd_settime", bits=32, text=clocks.TIMERFD)

# The process
RESOURCE = Kind("resource", bits=32, text=process.RESOURCE)
RLIMIT_IN = Kind("struct rlimit", text=process.rlimit)
RLIMIT_OUT = Kind("struct rlimit, answered", text=process.rlimit, late=True)
RUSAGE_WHO = Kind("who of getrusage", bits=32, text=process.RUSAGE_WHO)
RUSAGE_OUT = Kind("struct rusage", text=process.rusage, late=True)
SYSINFO_OUT = Kind("struct sysinfo", text=process.sysinfo, late=True)
UTSNAME_OUT = Kind("struct utsname", text=process.utsname, late=True)
ARCH_CODE = Kind("code of arch_prctl", bits=32, text=arch_prctl.CODE)
ARCH_ADDRESS = Kind(
    "address of arch_prctl",
    text=arch_prctl.address,
    late=arch_prctl.is_late,
    answer=arch_prctl.answer,
)
PRCTL_OPTION = Kind("option of prctl", bits=32, text=prctl.OPTION, answer=prctl.answer)
PRCTL_ARGUMENT = Kind("argument of prctl", text=prctl.argument, late=prctl.is_late)
FUTEX_OP = Kind("operation on a futex", bits=32, text=futex.operation)
FUTEX_VALUE = Kind("number of futex", bits=32, text=futex.argument)
FUTEX_ARGUMENT = Kind("argument of futex", text=futex.argument)
RANDOM_FLAGS = Kind("flags of getrandom", text=process.RANDOM)
CPUSET_IN = Kind("cpu_set_t", text=process.cpu_set_in)
CPUSET_OUT = Kind("cpu_set_t, answered", text=process.cpu_set, late=True)
POLICY = Kind("policy of scheduling", bits=32, text=process.POLICY)
POLICY_SET = Kind("policy of sched_setscheduler", bits=32, text=process.scheduler)
POLICY_ANSWER = Kind("policy, answered", text=process.policy_answer)
SCHED_PARAM_IN = Kind("struct sched_param", text=process.int_out)
SCHED_PARAM_OUT = Kind("struct sched_param, answered", text=process.int_out, late=True)
PRIORITY_WHICH = Kind("which of getpriority", bits=32, text=process.PRIORITY_WHO)
IO_PRIORITY_WHICH = Kind("which of ioprio_get", bits=32, text=process.IOPRIO_WHO)
IOPRIO = Kind("priority of input and output", bits=32, text=process.io_priority)
IOPRIO_ANSWER = Kind("priority of input and output, answered", text=process.io_priority_answer)
MEMBARRIER_COMMAND = Kind(
    "command of membarrier", bits=32, text=process.MEMBARRIER, answer=process.membarrier_answer
)
PERSONALITY = Kind("personality", text=process.personality, answer=process.personality_answer)
MEMBARRIER_FLAGS = Kind(
    "flags of membarrier", bits=32, text=process.MEMBARRIER_FLAGS, hides=process.needs_no_cpu
)
SYSLOG_OUT = Kind("messages of the kernel", text=process.syslog_bytes, late=True)
SYSLOG_SIZE = Kind("size of messages", bits=32, text=process.syslog_size)
SYSLOG_ACTION = Kind("action of syslog", bits=32, text=process.syslog_action)
CAP_HEADER = Kind("capability header", text=capabilities.capability_header)
CAP_DATA_IN = Kind("capability sets", text=capabilities.capability_data)
CAP_DATA_OUT = Kind("capability sets, answered", text=capabilities.capability_data, late=True)
GROUPS_IN = Kind("groups", text=process.groups)
GROUPS_OUT = Kind("groups, answered", text=process.groups_out, late=True)
UNSIGNED_OUT = Kind("unsigned int, answered", text=process.unsigned_out, late=True)
SIZE_OUT = Kind("size, answered", text=process.size_out, late=True)
ADDRESS_OUT = Kind("address, answered", text=process.pointer_out, late=True)
HEX32 = Kind("unsigned int in hexadecimal", bits=32, text=low_hexadecimal)
WAIT_INFO_OUT = Kind("siginfo_t of waitid", text=siginfo.siginfo, late=True)
WAIT_STATUS_OUT = Kind("status of wait4", text=waiting.status, late=True)
WAIT_USAGE_OUT = Kind("struct rusage of wait4", text=waiting.usage, late=True)
WAIT_OPTIONS = Kind("options of wait4", bits=32, text=process.WAIT)
WAIT_WHICH = Kind("which of waitid", bits=32, text=process.WAIT_WHICH)
