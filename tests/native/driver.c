/* Plays a script on a real kernel: calls from the standard input, answers to the output.
 *
 *     m SIZE | c COUNT SIZE | r SLOT SIZE | f SLOT     a slot is the number of a call, from 0
 *     l VmData BYTES | l VmSize BYTES                  so much more may be had, and nothing beyond
 *
 * The first answer is where the heap starts. After each call: its result; os_errno, which is -1
 * before; a sum of what
 * stands in the payload that should have survived (zeros of calloc, the old contents of realloc);
 * then every block of the heap as payload:size:status:prev:next, in hexadecimal. The payload is
 * then filled with the call's number.
 *
 * A call of the allocator stands between two getppid, so that strace shows what it asked for. No
 * malloc of the C library: it would move the break.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "osmem.h"

#define SLOTS 4096
#define MOST (1 << 18)

struct block {
    uint64_t size;
    int32_t status;
    struct block *prev, *next;
};

struct slot {
    unsigned char *payload;
    size_t size;
};

static char input[1 << 20], output[1 << 20];
static struct slot slots[SLOTS];
static size_t written;
static char *heap;

#define say(...) (written += snprintf(output + written, sizeof output - written, __VA_ARGS__))

static void flush(void) {
    for (size_t done = 0; done < written;)
        done += write(1, output + done, written - done);
    written = 0;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static unsigned long sum(const unsigned char *bytes, size_t size) {
    unsigned long found = 0;
    for (size_t i = 0; i < smaller(size, MOST); i++)
        found = found * 31 + bytes[i];
    return found;
}

static void show(void *result, unsigned long kept) {
    char *end = (char *)syscall(SYS_brk, 0);
    say("%lx %d %lx", (long)result, os_errno, kept);
    for (struct block *b = (struct block *)heap; (char *)b < end;
         b = (struct block *)((char *)(b + 1) + b->size))
        say(" %lx:%lx:%d:%lx:%lx", (long)(b + 1), b->size, b->status, (long)b->prev,
            (long)b->next);
    say("\n");
    flush();
}

/* What /proc/self/status says of VmData or VmSize, in bytes. */
static long in_use(const char *what) {
    static char status[4096];
    int fd = syscall(SYS_openat, -100, "/proc/self/status", 0);
    status[syscall(SYS_read, fd, status, sizeof status - 1)] = 0;
    syscall(SYS_close, fd);
    return strtol(strstr(status, what) + strlen(what) + 1, NULL, 10) << 10;
}

static void limit(const char *what, long more) {
    struct rlimit bytes = {in_use(what) + more, RLIM_INFINITY};
    setrlimit(what[2] == 'D' ? RLIMIT_DATA : RLIMIT_AS, &bytes);
}

static void call(char kind, int number, uint64_t a, uint64_t b) {
    struct slot *old = kind == 'r' || kind == 'f' ? &slots[a] : NULL;
    void *result = NULL;
    os_errno = -1;
    syscall(SYS_getppid);
    if (kind == 'm')
        result = os_malloc(a);
    else if (kind == 'c')
        result = os_calloc(a, b);
    else if (kind == 'r')
        result = os_realloc(old->payload, b);
    else
        os_free(old->payload);
    syscall(SYS_getppid);
    size_t size = kind == 'm' ? a : kind == 'c' ? a * b : b;
    size_t kept = kind == 'c' ? size : kind == 'r' ? smaller(size, old->size) : 0;
    show(result, result ? sum(result, kept) : 0);
    if (!result)
        return;
    slots[number].payload = result;
    slots[number].size = size;
    memset(result, number, smaller(size, MOST));
}

int main(void) {
    size_t size = 0;
    for (ssize_t got; (got = read(0, input + size, sizeof input - 1 - size)) > 0;)
        size += got;
    heap = (char *)syscall(SYS_brk, (syscall(SYS_brk, 0) + 4095L) & -4096L);
    say("%lx\n", (long)heap);
    flush();
    int number = 0;
    for (char *line = strtok(input, "\n"); line; line = strtok(NULL, "\n")) {
        char what[16], *rest = line + 2;
        if (*line == 'l') {
            sscanf(rest, "%15s", what);
            limit(what, strtol(rest + strlen(what), NULL, 10));
            continue;
        }
        uint64_t a = strtoull(rest, &rest, 10);
        call(*line, number++, a, strtoull(rest, NULL, 10));
    }
    return 0;
}
