"""What the registers of each system call mean: for calls that have no row of their own yet.

A line is a call: its name, the kinds of its arguments, and after "=" that of its result (INT where
nothing is said). Where there is a row, the row counts.
"""

from __future__ import annotations

from syscalls import kinds
from syscalls.call_names import NAMES
from syscalls.row import Row
from syscalls.table import BY_NAME

_SIGNATURES = """
    read FD BYTES_OUT SIZE = SIZE
    write FD BYTES_IN SIZE = SIZE
    pread64 FD BYTES_OUT SIZE LONG = SIZE
    pwrite64 FD BYTES_IN SIZE LONG = SIZE
    readv FD IOVEC_OUT SIZE = SIZE
    writev FD IOVEC_IN SIZE = SIZE
    preadv FD IOVEC_OUT SIZE LONG OFFSET_HIGH = SIZE
    pwritev FD IOVEC_IN SIZE LONG OFFSET_HIGH = SIZE
    preadv2 FD IOVEC_OUT SIZE LONG OFFSET_HIGH RWF_FLAGS = SIZE
    pwritev2 FD IOVEC_IN SIZE LONG OFFSET_HIGH RWF_FLAGS = SIZE
    lseek FD LONG WHENCE = LONG
    sendfile FD FD SENDFILE_OFFSET SIZE = SIZE
    copy_file_range FD OFFSET_AT FD OFFSET_AT SIZE UNSIGNED = SIZE
    splice FD OFFSET_AT FD OFFSET_AT SIZE SPLICE_FLAGS = SIZE
    open PATH OPEN_FLAGS MODE
    openat DIRFD PATH OPEN_FLAGS MODE
    openat2 DIRFD PATH OPEN_HOW SIZE
    creat PATH MODE
    close FD
    close_range UNSIGNED UNSIGNED CLOSE_RANGE_FLAGS
    stat PATH STAT_OUT
    lstat PATH STAT_OUT
    fstat FD STAT_OUT
    newfstatat DIRFD PATH STAT_OUT AT_FLAGS
    statx DIRFD PATH STATX_FLAGS STATX_MASK STATX_OUT
    statfs PATH STATFS_OUT
    fstatfs FD STATFS_OUT
    access PATH ACCESS_MODE
    faccessat DIRFD PATH ACCESS_MODE
    faccessat2 DIRFD PATH ACCESS_MODE FACCESSAT_FLAGS
    readlink PATH BYTES_OUT SIZE
    readlinkat DIRFD PATH BYTES_OUT SIZE
    getcwd PATH_OUT SIZE
    chdir PATH
    fchdir FD
    chroot PATH
    getdents FD OLD_DIRENTS_OUT UNSIGNED
    getdents64 FD DIRENTS_OUT SIZE
    dup FD
    dup2 FD FD
    dup3 FD FD LONE_OPEN_FLAGS
    fcntl FD FCNTL_COMMAND FCNTL_ARGUMENT
    ioctl FD IOCTL_REQUEST IOCTL_ARGUMENT
    flock FD FLOCK
    fsync FD
    fdatasync FD
    sync
    syncfs FD
    truncate PATH LENGTH
    ftruncate FD LENGTH
    fallocate FD FALLOCATE_MODE LONG LONG
    mkdir PATH MODE
    mkdirat DIRFD PATH MODE
    rmdir PATH
    unlink PATH
    unlinkat DIRFD PATH AT_FLAGS
    rename PATH PATH
    renameat DIRFD PATH DIRFD PATH
    renameat2 DIRFD PATH DIRFD PATH RENAME_FLAGS
    link PATH PATH
    linkat DIRFD PATH DIRFD PATH AT_FLAGS
    symlink PATH PATH
    symlinkat PATH DIRFD PATH
    chmod PATH MODE
    fchmod FD MODE
    fchmodat DIRFD PATH MODE
    fchmodat2 DIRFD PATH MODE AT_FLAGS
    chown PATH OWNER OWNER
    lchown PATH OWNER OWNER
    fchown FD OWNER OWNER
    fchownat DIRFD PATH OWNER OWNER AT_FLAGS
    mknod PATH NODE_MODE NODE_DEVICE
    mknodat DIRFD PATH NODE_MODE NODE_DEVICE
    umask UMASK = UMASK
    utime PATH UTIME_IN
    utimes PATH UTIMEVALS_IN
    futimesat DIRFD PATH UTIMEVALS_IN
    utimensat DIRFD PATH UTIMES_IN AT_FLAGS
    fadvise64 FD LONG LENGTH FADVICE
    readahead FD LONG SIZE
    sync_file_range FD LONG LONG SYNC_RANGE_FLAGS
    poll POLLFDS SIZE INT
    ppoll POLLFDS SIZE TIMESPEC_IN SIGSET_IN SIZE
    select SELECT_COUNT FD_SET FD_SET FD_SET TIMEVAL_IN
    pselect6 SELECT_COUNT FD_SET FD_SET FD_SET TIMESPEC_IN SELECT_MASK
    pipe FD_PAIR_OUT
    pipe2 FD_PAIR_OUT LONE_OPEN_FLAGS
    eventfd UNSIGNED
    eventfd2 UNSIGNED EVENTFD_FLAGS
    memfd_create STRING MEMFD_FLAGS
    epoll_create1 EPOLL_FLAGS
    epoll_ctl FD EPOLL_OP FD EPOLL_EVENT
    epoll_wait FD EPOLL_EVENTS_OUT INT INT
    getxattr PATH STRING XATTR_OUT SIZE
    lgetxattr PATH STRING XATTR_OUT SIZE
    fgetxattr FD STRING XATTR_OUT SIZE
    setxattr PATH STRING XATTR_IN SIZE XATTR_FLAGS
    lsetxattr PATH STRING XATTR_IN SIZE XATTR_FLAGS
    fsetxattr FD STRING XATTR_IN SIZE XATTR_FLAGS
    listxattr PATH XATTR_LIST_OUT SIZE
    llistxattr PATH XATTR_LIST_OUT SIZE
    flistxattr FD XATTR_LIST_OUT SIZE
    removexattr PATH STRING
    lremovexattr PATH STRING
    fremovexattr FD STRING

    mremap ADDRESS SIZE SIZE MREMAP_FLAGS ADDRESS = ADDRESS
    madvise ADDRESS SIZE MADVICE
    mincore ADDRESS SIZE MINCORE_OUT
    msync ADDRESS SIZE MSYNC_FLAGS
    mlock ADDRESS SIZE
    mlock2 ADDRESS SIZE MLOCK2_FLAGS
    munlock ADDRESS SIZE
    mlockall MLOCKALL_FLAGS
    munlockall
    pkey_mprotect ADDRESS SIZE PROT INT
    pkey_alloc RAW PKEY_RIGHTS
    pkey_free INT

    rt_sigaction SIGNAL SIGACTION_IN SIGACTION_OUT SIZE
    rt_sigprocmask SIGMASK_HOW SIGSET_IN SIGSET_OUT SIZE
    rt_sigreturn = SIGRETURN
    rt_sigpending PENDING_OUT SIZE
    rt_sigsuspend SIGSET_IN SIZE
    rt_sigtimedwait SIGSET_IN SIGINFO_OUT TIMESPEC_IN SIZE
    rt_sigqueueinfo INT SIGNAL SIGINFO_IN
    rt_tgsigqueueinfo INT INT SIGNAL SIGINFO_IN
    sigaltstack STACK_IN STACK_OUT
    kill INT SIGNAL
    tkill INT SIGNAL
    tgkill INT INT SIGNAL
    pause
    alarm UNSIGNED
    signalfd4 FD SIGSET_FIRST SIZE SIGNALFD_FLAGS
    setitimer ITIMER ITIMERVAL_IN ITIMERVAL_OUT
    getitimer ITIMER ITIMERVAL_OUT

    clock_gettime CLOCK TIMESPEC_OUT
    clock_getres CLOCK TIMESPEC_OUT
    clock_settime CLOCK TIMESPEC_IN
    clock_nanosleep CLOCK CLOCK_FLAGS TIMESPEC_IN TIMESPEC_LEFT
    nanosleep TIMESPEC_IN TIMESPEC_LEFT
    gettimeofday TIMEVAL_OUT TIMEZONE_OUT
    settimeofday TIMEVAL_IN TIMEZONE_IN
    time TIME_OUT = TIME_ANSWER
    times TMS_OUT
    adjtimex TIMEX
    clock_adjtime CLOCK TIMEX
    timerfd_create CLOCK TIMERFD_FLAGS
    timerfd_settime FD TIMERFD_FLAGS ITIMERSPEC_IN ITIMERSPEC_OUT
    timerfd_gettime FD ITIMERSPEC_OUT

    getpid
    getppid
    gettid
    getpgrp
    getpgid INT
    setpgid INT INT
    getsid INT
    setsid
    getuid
    getgid
    geteuid
    getegid
    setgid OWNER
    setregid OWNER OWNER
    setresgid OWNER OWNER OWNER
    getresgid UNSIGNED_OUT UNSIGNED_OUT UNSIGNED_OUT
    setfsgid OWNER
    setuid OWNER
    setreuid OWNER OWNER
    setresuid OWNER OWNER OWNER
    getresuid UNSIGNED_OUT UNSIGNED_OUT UNSIGNED_OUT
    setfsuid OWNER
    getgroups INT GROUPS_OUT
    setgroups INT GROUPS_IN
    capget CAP_HEADER CAP_DATA_OUT
    capset CAP_HEADER CAP_DATA_IN
    getrlimit RESOURCE RLIMIT_OUT
    setrlimit RESOURCE RLIMIT_IN
    prlimit64 INT RESOURCE RLIMIT_IN RLIMIT_OUT
    getrusage RUSAGE_WHO RUSAGE_OUT
    sysinfo SYSINFO_OUT
    uname UTSNAME_OUT
    arch_prctl ARCH_CODE ARCH_ADDRESS
    prctl PRCTL_OPTION PRCTL_ARGUMENT PRCTL_ARGUMENT PRCTL_ARGUMENT PRCTL_ARGUMENT
    set_tid_address RAW
    set_robust_list ADDRESS SIZE
    get_robust_list INT ADDRESS_OUT SIZE_OUT
    rseq RAW HEX32 HEX32 HEX32
    futex ADDRESS FUTEX_OP FUTEX_VALUE FUTEX_ARGUMENT FUTEX_ARGUMENT FUTEX_VALUE
    wait4 INT WAIT_STATUS_OUT WAIT_OPTIONS WAIT_USAGE_OUT
    waitid WAIT_WHICH INT WAIT_INFO_OUT WAIT_OPTIONS RUSAGE_OUT
    membarrier MEMBARRIER_COMMAND MEMBARRIER_FLAGS INT
    getrandom RANDOM_OUT SIZE RANDOM_FLAGS = SIZE
    sched_yield
    sched_getaffinity INT SIZE CPUSET_OUT
    sched_setaffinity INT SIZE CPUSET_IN
    sched_getscheduler INT = POLICY_ANSWER
    sched_setscheduler INT POLICY_SET SCHED_PARAM_IN
    sched_getparam INT SCHED_PARAM_OUT
    sched_setparam INT SCHED_PARAM_IN
    sched_get_priority_max POLICY
    sched_get_priority_min POLICY
    sched_rr_get_interval INT TIMESPEC_OUT
    getpriority PRIORITY_WHICH INT
    setpriority PRIORITY_WHICH INT INT
    getcpu UNSIGNED_OUT UNSIGNED_OUT ADDRESS
    ioprio_get IO_PRIORITY_WHICH INT = IOPRIO_ANSWER
    ioprio_set IO_PRIORITY_WHICH INT IOPRIO
    personality PERSONALITY
    syslog SYSLOG_ACTION SYSLOG_OUT SYSLOG_SIZE
"""


def _row(line: str) -> Row:
    words, _, result = line.partition(" = ")
    name, *params = words.split()
    number = next(number for number, known in NAMES.items() if known == name)
    return Row(
        number,
        name,
        tuple(getattr(kinds, param) for param in params),
        getattr(kinds, result or "INT"),
        int,
        "for its meaning alone",
    )


_LINES = filter(None, map(str.strip, _SIGNATURES.splitlines()))
ALL_ROWS: dict[str, Row] = {row.name: row for row in map(_row, _LINES)} | BY_NAME
