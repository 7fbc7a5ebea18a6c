/* Plays system calls on files on the host's kernel: file_calls ROOT WRITABLE.
 *
 * ROOT becomes "/". WRITABLE is "." (everything may be changed), "-" (nothing may) or a folder
 * under ROOT: then the rest is mounted read-only. Calls come from the standard input, one a line,
 * NUMBER and up to six arguments:
 *
 *     12        a number
 *     s:HEX     the address of a string            b:HEX    the address of bytes
 *     o:N       the address of N bytes 0xaa, printed after the call
 *     e:N       the same, but the page behind them is not mapped
 *     x         an address where nothing is mapped
 *     v:A;B;..  the address of an array of struct iovec, of o:N, e:N, b:HEX and x:N
 *
 * Printed for each: the answer, negative for an errno, and the bytes of o and e in hexadecimal.
 * A call that waits is ended by SIGALRM: EINTR. The standard files are pipes that nobody fills.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, ARENA = 1 << 22, EDGE = 16 * PAGE, EDGES = 8, SPANS = 2048 };

static char *arena, *next, *edges[EDGES], *nowhere;
static int edge;
static struct { unsigned char *at; size_t size; } spans[SPANS];
static int span_count;

static void need(int good, const char *what) {
    if (good)
        return;
    perror(what);
    exit(1);
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    need(fd >= 0 && write(fd, text, strlen(text)) > 0, path);
    close(fd);
}

static void enter(const char *root, const char *writable) {
    char map[64], inner[4096];
    int uid = geteuid(), gid = getegid(), mounts = strcmp(writable, ".");
    if (uid || (mounts && unshare(CLONE_NEWNS))) {
        need(!unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
        snprintf(map, sizeof map, "0 %d 1", uid);
        write_file("/proc/self/uid_map", map);
        write_file("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "0 %d 1", gid);
        write_file("/proc/self/gid_map", map);
    }
    if (mounts) {
        need(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
        need(!mount(root, root, NULL, MS_BIND, NULL), "bind");
        need(!mount(NULL, root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "read-only");
        if (strcmp(writable, "-")) {
            snprintf(inner, sizeof inner, "%s/%s", root, writable);
            need(!mount(inner, inner, NULL, MS_BIND, NULL), "bind the writable folder");
            need(!mount(NULL, inner, NULL, MS_REMOUNT | MS_BIND, NULL), "writable");
        }
    }
    need(!chroot(root) && !chdir("/"), "chroot");
}

static void *reserve(size_t size) {
    char *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(at != MAP_FAILED, "mmap");
    return at;
}

static char *usable(char *at, size_t size) {
    need(!mprotect(at, size, PROT_READ | PROT_WRITE), "mprotect");
    return at;
}

static char *take(size_t size) {
    char *at = next;
    next += (size + 15) & ~15UL;
    need(next <= arena + ARENA, "arena");
    return at;
}

static size_t hex(char **line, char *to) {
    size_t size = 0;
    for (unsigned byte; sscanf(*line, "%2x", &byte) == 1 && (*line)[0] > ' '; *line += 2)
        to[size++] = byte;
    return size;
}

static char *out(char *at, size_t size) {
    memset(at, 0xaa, size);
    spans[span_count].at = (unsigned char *)at;
    spans[span_count++].size = size;
    return at;
}

static char *parse(char **line, size_t *size) {
    char kind = **line;
    *line += 1;
    *line += **line == ':';
    if (kind == 's' || kind == 'b') {
        char *at = take(strcspn(*line, " ;\n") / 2 + 1);
        *size = hex(line, at);
        at[*size] = 0;
        return at;
    }
    *size = **line >= '0' && **line <= '9' ? strtoul(*line, line, 10) : 0;
    if (kind == 'x')
        return nowhere;
    if (kind == 'o')
        return out(take(*size), *size);
    return out(edges[edge++ % EDGES] + EDGE - *size, *size);
}

static uint64_t vector(char **line) {
    struct iovec *parts = (struct iovec *)take(1100 * sizeof *parts);
    memset(parts, 0, 1100 * sizeof *parts);
    *line += 2;
    for (int i = 0; **line > ' '; i++) {
        parts[i].iov_base = parse(line, &parts[i].iov_len);
        *line += **line == ';';
    }
    return (uint64_t)parts;
}

static uint64_t argument(char **line) {
    size_t size;
    while (**line == ' ')
        ++*line;
    if (**line == '\n' || !**line)
        return 0;
    if (**line == 'v')
        return vector(line);
    if (**line == '-' || (**line >= '0' && **line <= '9'))
        return **line == '-' ? (uint64_t)strtoll(*line, line, 0) : strtoull(*line, line, 0);
    return (uint64_t)parse(line, &size);
}

static void ring(int signal) { (void)signal; }

static void limit(long microseconds) {
    struct itimerval timer = {{0, 0}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static long play(uint64_t *call) {
    long answer;
    limit(300000);
    register long r10 __asm__("r10") = call[4];
    register long r8 __asm__("r8") = call[5];
    register long r9 __asm__("r9") = call[6];
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(call[0]), "D"(call[1]), "S"(call[2]), "d"(call[3]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    limit(0);
    return answer;
}

int main(int count, char **args) {
    need(count == 3, "usage");
    FILE *in = fdopen(fcntl(0, F_DUPFD_CLOEXEC, 2000), "r");
    FILE *report = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 2000), "w");
    need(in && report, "the standard files");
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = ring}, NULL);
    umask(022);
    enter(args[1], args[2]);
    int in_pipe[2], out_pipe[2];
    need(!pipe(in_pipe) && !pipe(out_pipe), "pipe");
    need(fcntl(out_pipe[0], F_DUPFD, 2000) >= 0, "keep the reader");
    dup2(in_pipe[0], 0), dup2(out_pipe[1], 1), dup2(out_pipe[1], 2);
    close(in_pipe[0]), close(in_pipe[1]), close(out_pipe[0]), close(out_pipe[1]);

    struct rlimit descriptors = {1024, 1024};
    need(!setrlimit(RLIMIT_NOFILE, &descriptors), "setrlimit");
    nowhere = reserve(1 << 24);
    arena = next = usable(reserve(ARENA), ARENA);
    for (int i = 0; i < EDGES; i++)
        edges[i] = usable(reserve(EDGE + PAGE), EDGE);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, in) > 0) {
        char *rest = line;
        uint64_t call[7];
        next = arena, span_count = 0;
        for (int i = 0; i < 7; i++)
            call[i] = argument(&rest);
        fprintf(report, "%ld", play(call));
        for (int i = 0; i < span_count; i++) {
            fputc(' ', report);
            for (size_t j = 0; j < spans[i].size; j++)
                fprintf(report, "%02x", spans[i].at[j]);
        }
        fputc('\n', report);
    }
    fflush(report);
    _exit(0);
}
