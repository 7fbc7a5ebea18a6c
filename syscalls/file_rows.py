"""The rows of the table for calls on files."""

from __future__ import annotations

from syscalls import kinds as k
from syscalls.access import access, faccessat, faccessat2
from syscalls.chmod import chmod, fchmod, fchmodat, fchmodat2
from syscalls.chown import chown, fchown, fchownat, lchown
from syscalls.close import close, close_range
from syscalls.dup import dup, dup2, dup3
from syscalls.eventfd2 import eventfd, eventfd2
from syscalls.fadvise64 import fadvise64, readahead
from syscalls.fcntl import fcntl
from syscalls.flock import flock
from syscalls.fsync import fsync, sync, syncfs
from syscalls.getcwd import chdir, fchdir, getcwd
from syscalls.getdents64 import getdents, getdents64
from syscalls.getxattr import (
    fgetxattr,
    flistxattr,
    fremovexattr,
    fsetxattr,
    getxattr,
    lgetxattr,
    listxattr,
    llistxattr,
    lremovexattr,
    lsetxattr,
    removexattr,
    setxattr,
)
from syscalls.ioctl import ioctl
from syscalls.link import link, linkat, symlink, symlinkat
from syscalls.lseek import lseek
from syscalls.memfd_create import memfd_create
from syscalls.mkdir import mkdir, mkdirat
from syscalls.mknod import mknod, mknodat
from syscalls.open import creat, open_file, openat, openat2
from syscalls.pipe import pipe, pipe2
from syscalls.poll import poll, ppoll
from syscalls.read import pread64, preadv, preadv2, read, readv
from syscalls.readlink import readlink, readlinkat
from syscalls.rename import rename, renameat, renameat2
from syscalls.row import Row
from syscalls.select import pselect6, select
from syscalls.sendfile import copy_file_range, sendfile
from syscalls.stat import fstat, lstat, newfstatat, stat
from syscalls.statfs import fstatfs, statfs
from syscalls.statx import statx
from syscalls.truncate import fallocate, ftruncate, truncate
from syscalls.umask import umask
from syscalls.unlink import rmdir, unlink, unlinkat
from syscalls.utimensat import futimesat, utime, utimensat, utimes
from syscalls.write import pwrite64, pwritev, pwritev2, write, writev

FILES: tuple[Row, ...] = (
    Row(0, "read", (k.FD, k.BYTES_OUT, k.SIZE), k.SIZE, read, "whole"),
    Row(1, "write", (k.FD, k.BYTES_IN, k.SIZE), k.SIZE, write, "whole"),
    Row(2, "open", (k.PATH, k.OPEN_FLAGS, k.MODE), k.INT, open_file, "as openat"),
    Row(3, "close", (k.FD,), k.INT, close, "whole"),
    Row(4, "stat", (k.PATH, k.STAT_OUT), k.INT, stat, "whole"),
    Row(5, "fstat", (k.FD, k.STAT_OUT), k.INT, fstat, "whole"),
    Row(6, "lstat", (k.PATH, k.STAT_OUT), k.INT, lstat, "whole"),
    Row(7, "poll", (k.POLLFDS, k.SIZE, k.INT), k.INT, poll, "whole"),
    Row(8, "lseek", (k.FD, k.LONG, k.WHENCE), k.LONG, lseek, "whole, with SEEK_DATA and SEEK_HOLE"),
    Row(16, "ioctl", (k.FD, k.IOCTL_REQUEST, k.IOCTL_ARGUMENT), k.INT, ioctl,
        "terminals, FIONREAD, FIOCLEX, FIONBIO, FIOQSIZE"),
    Row(17, "pread64", (k.FD, k.BYTES_OUT, k.SIZE, k.LONG), k.SIZE, pread64, "whole"),
    Row(18, "pwrite64", (k.FD, k.BYTES_IN, k.SIZE, k.LONG), k.SIZE, pwrite64, "whole"),
    Row(19, "readv", (k.FD, k.IOVEC_OUT, k.SIZE), k.SIZE, readv, "whole"),
    Row(20, "writev", (k.FD, k.IOVEC_IN, k.SIZE), k.SIZE, writev, "whole"),
    Row(21, "access", (k.PATH, k.ACCESS_MODE), k.INT, access, "as the superuser"),
    Row(22, "pipe", (k.FD_PAIR_OUT,), k.INT, pipe, "within the process"),
    Row(23, "select", (k.SELECT_COUNT, k.FD_SET, k.FD_SET, k.FD_SET, k.TIMEVAL_IN), k.INT, select,
        "whole"),
    Row(32, "dup", (k.FD,), k.INT, dup, "whole"),
    Row(33, "dup2", (k.FD, k.FD), k.INT, dup2, "whole"),
    Row(40, "sendfile", (k.FD, k.FD, k.SENDFILE_OFFSET, k.SIZE), k.SIZE, sendfile, "whole"),
    Row(72, "fcntl", (k.FD, k.FCNTL_COMMAND, k.FCNTL_ARGUMENT), k.INT, fcntl,
        "descriptors, flags, locks, pipes, seals; no leases"),
    Row(73, "flock", (k.FD, k.FLOCK), k.INT, flock, "whole"),
    Row(74, "fsync", (k.FD,), k.INT, fsync, "the host writes when it likes"),
    Row(75, "fdatasync", (k.FD,), k.INT, fsync, "the host writes when it likes"),
    Row(76, "truncate", (k.PATH, k.LENGTH), k.INT, truncate, "whole"),
    Row(77, "ftruncate", (k.FD, k.LENGTH), k.INT, ftruncate, "whole"),
    Row(78, "getdents", (k.FD, k.OLD_DIRENTS_OUT, k.UNSIGNED), k.INT, getdents, "sorted by name"),
    Row(79, "getcwd", (k.PATH_OUT, k.SIZE), k.INT, getcwd, "whole"),
    Row(80, "chdir", (k.PATH,), k.INT, chdir, "whole"),
    Row(81, "fchdir", (k.FD,), k.INT, fchdir, "whole"),
    Row(82, "rename", (k.PATH, k.PATH), k.INT, rename, "as renameat2"),
    Row(83, "mkdir", (k.PATH, k.MODE), k.INT, mkdir, "as mkdirat"),
    Row(84, "rmdir", (k.PATH,), k.INT, rmdir, "whole"),
    Row(85, "creat", (k.PATH, k.MODE), k.INT, creat, "as openat"),
    Row(86, "link", (k.PATH, k.PATH), k.INT, link, "as linkat"),
    Row(87, "unlink", (k.PATH,), k.INT, unlink, "whole"),
    Row(88, "symlink", (k.PATH, k.PATH), k.INT, symlink, "whole"),
    Row(89, "readlink", (k.PATH, k.BYTES_OUT, k.SIZE), k.INT, readlink, "whole"),
    Row(90, "chmod", (k.PATH, k.MODE), k.INT, chmod, "no set-user-ID"),
    Row(91, "fchmod", (k.FD, k.MODE), k.INT, fchmod, "no set-user-ID"),
    Row(92, "chown", (k.PATH, k.OWNER, k.OWNER), k.INT, chown, "as the host lets us"),
    Row(93, "fchown", (k.FD, k.OWNER, k.OWNER), k.INT, fchown, "as the host lets us"),
    Row(94, "lchown", (k.PATH, k.OWNER, k.OWNER), k.INT, lchown, "as the host lets us"),
    Row(95, "umask", (k.UMASK,), k.UMASK, umask, "whole"),
    Row(132, "utime", (k.PATH, k.UTIME_IN), k.INT, utime, "whole"),
    Row(133, "mknod", (k.PATH, k.NODE_MODE, k.NODE_DEVICE), k.INT, mknod, "regular files"),
    Row(137, "statfs", (k.PATH, k.STATFS_OUT), k.INT, statfs,
        "what is free is what may still be written"),
    Row(138, "fstatfs", (k.FD, k.STATFS_OUT), k.INT, fstatfs,
        "what is free is what may still be written"),
    Row(162, "sync", (), k.INT, sync, "nothing to do"),
    Row(187, "readahead", (k.FD, k.LONG, k.SIZE), k.INT, readahead, "changes nothing"),
    Row(188, "setxattr", (k.PATH, k.STRING, k.XATTR_IN, k.SIZE, k.XATTR_FLAGS), k.INT, setxattr,
        "no file has attributes"),
    Row(189, "lsetxattr", (k.PATH, k.STRING, k.XATTR_IN, k.SIZE, k.XATTR_FLAGS), k.INT, lsetxattr,
        "no file has attributes"),
    Row(190, "fsetxattr", (k.FD, k.STRING, k.XATTR_IN, k.SIZE, k.XATTR_FLAGS), k.INT, fsetxattr,
        "no file has attributes"),
    Row(191, "getxattr", (k.PATH, k.STRING, k.XATTR_OUT, k.SIZE), k.INT, getxattr,
        "no file has attributes"),
    Row(192, "lgetxattr", (k.PATH, k.STRING, k.XATTR_OUT, k.SIZE), k.INT, lgetxattr,
        "no file has attributes"),
    Row(193, "fgetxattr", (k.FD, k.STRING, k.XATTR_OUT, k.SIZE), k.INT, fgetxattr,
        "no file has attributes"),
    Row(194, "listxattr", (k.PATH, k.XATTR_LIST_OUT, k.SIZE), k.INT, listxattr,
        "no file has attributes"),
    Row(195, "llistxattr", (k.PATH, k.XATTR_LIST_OUT, k.SIZE), k.INT, llistxattr,
        "no file has attributes"),
    Row(196, "flistxattr", (k.FD, k.XATTR_LIST_OUT, k.SIZE), k.INT, flistxattr,
        "no file has attributes"),
    Row(197, "removexattr", (k.PATH, k.STRING), k.INT, removexattr, "no file has attributes"),
    Row(198, "lremovexattr", (k.PATH, k.STRING), k.INT, lremovexattr, "no file has attributes"),
    Row(199, "fremovexattr", (k.FD, k.STRING), k.INT, fremovexattr, "no file has attributes"),
    Row(217, "getdents64", (k.FD, k.DIRENTS_OUT, k.SIZE), k.INT, getdents64, "sorted by name"),
    Row(221, "fadvise64", (k.FD, k.LONG, k.LENGTH, k.FADVICE), k.INT, fadvise64, "changes nothing"),
    Row(235, "utimes", (k.PATH, k.UTIMEVALS_IN), k.INT, utimes, "whole"),
    Row(257, "openat", (k.DIRFD, k.PATH, k.OPEN_FLAGS, k.MODE), k.INT, openat,
        "regular files and folders of the host, our own devices"),
    Row(258, "mkdirat", (k.DIRFD, k.PATH, k.MODE), k.INT, mkdirat, "whole"),
    Row(259, "mknodat", (k.DIRFD, k.PATH, k.NODE_MODE, k.NODE_DEVICE), k.INT, mknodat,
        "regular files"),
    Row(260, "fchownat", (k.DIRFD, k.PATH, k.OWNER, k.OWNER, k.AT_FLAGS), k.INT, fchownat,
        "as the host lets us"),
    Row(261, "futimesat", (k.DIRFD, k.PATH, k.UTIMEVALS_IN), k.INT, futimesat, "whole"),
    Row(262, "newfstatat", (k.DIRFD, k.PATH, k.STAT_OUT, k.AT_FLAGS), k.INT, newfstatat, "whole"),
    Row(263, "unlinkat", (k.DIRFD, k.PATH, k.AT_FLAGS), k.INT, unlinkat, "whole"),
    Row(264, "renameat", (k.DIRFD, k.PATH, k.DIRFD, k.PATH), k.INT, renameat, "as renameat2"),
    Row(265, "linkat", (k.DIRFD, k.PATH, k.DIRFD, k.PATH, k.AT_FLAGS), k.INT, linkat,
        "within the writable folder"),
    Row(266, "symlinkat", (k.PATH, k.DIRFD, k.PATH), k.INT, symlinkat, "whole"),
    Row(267, "readlinkat", (k.DIRFD, k.PATH, k.BYTES_OUT, k.SIZE), k.INT, readlinkat, "whole"),
    Row(268, "fchmodat", (k.DIRFD, k.PATH, k.MODE), k.INT, fchmodat, "no set-user-ID"),
    Row(269, "faccessat", (k.DIRFD, k.PATH, k.ACCESS_MODE), k.INT, faccessat, "as the superuser"),
    Row(270, "pselect6",
        (k.SELECT_COUNT, k.FD_SET, k.FD_SET, k.FD_SET, k.TIMESPEC_IN, k.SELECT_MASK),
        k.INT, pselect6, "whole"),
    Row(271, "ppoll", (k.POLLFDS, k.SIZE, k.TIMESPEC_IN, k.SIGSET_IN, k.SIZE), k.INT, ppoll,
        "whole"),
    Row(280, "utimensat", (k.DIRFD, k.PATH, k.UTIMES_IN, k.AT_FLAGS), k.INT, utimensat, "whole"),
    Row(284, "eventfd", (k.UNSIGNED,), k.INT, eventfd, "whole"),
    Row(285, "fallocate", (k.FD, k.FALLOCATE_MODE, k.LONG, k.LONG), k.INT, fallocate, "mode 0"),
    Row(290, "eventfd2", (k.UNSIGNED, k.EVENTFD_FLAGS), k.INT, eventfd2, "whole"),
    Row(292, "dup3", (k.FD, k.FD, k.LONE_OPEN_FLAGS), k.INT, dup3, "whole"),
    Row(293, "pipe2", (k.FD_PAIR_OUT, k.LONE_OPEN_FLAGS), k.INT, pipe2,
        "within the process; no packets"),
    Row(295, "preadv", (k.FD, k.IOVEC_OUT, k.SIZE, k.LONG), k.SIZE, preadv, "whole"),
    Row(296, "pwritev", (k.FD, k.IOVEC_IN, k.SIZE, k.LONG), k.SIZE, pwritev, "whole"),
    Row(306, "syncfs", (k.FD,), k.INT, syncfs, "the host writes when it likes"),
    Row(316, "renameat2", (k.DIRFD, k.PATH, k.DIRFD, k.PATH, k.RENAME_FLAGS), k.INT, renameat2,
        "no whiteouts"),
    Row(319, "memfd_create", (k.STRING, k.MEMFD_FLAGS), k.INT, memfd_create, "no huge pages"),
    Row(326, "copy_file_range", (k.FD, k.OFFSET_AT, k.FD, k.OFFSET_AT, k.SIZE, k.UNSIGNED), k.SIZE,
        copy_file_range, "whole"),
    Row(327, "preadv2", (k.FD, k.IOVEC_OUT, k.SIZE, k.LONG, k.OFFSET_HIGH, k.RWF_FLAGS), k.SIZE,
        preadv2, "flags that change nothing"),
    Row(328, "pwritev2", (k.FD, k.IOVEC_IN, k.SIZE, k.LONG, k.OFFSET_HIGH, k.RWF_FLAGS), k.SIZE,
        pwritev2, "flags that change nothing"),
    Row(332, "statx", (k.DIRFD, k.PATH, k.STATX_FLAGS, k.STATX_MASK, k.STATX_OUT), k.INT, statx,
        "basic fields"),
    Row(436, "close_range", (k.UNSIGNED, k.UNSIGNED, k.CLOSE_RANGE_FLAGS), k.INT, close_range,
        "whole"),
    Row(437, "openat2", (k.DIRFD, k.PATH, k.OPEN_HOW, k.SIZE), k.INT, openat2, "whole"),
    Row(439, "faccessat2", (k.DIRFD, k.PATH, k.ACCESS_MODE, k.FACCESSAT_FLAGS), k.INT, faccessat2,
        "as the superuser"),
    Row(452, "fchmodat2", (k.DIRFD, k.PATH, k.MODE, k.AT_FLAGS), k.INT, fchmodat2,
        "no set-user-ID"),
)  # fmt: skip
