/* Runs the real osmem on the real kernel: calls from the standard input, answers to the output.
 *
 *     m SIZE | c COUNT SIZE | r SLOT SIZE | f SLOT        a slot is the number of a call
 *
 * After every call: the result, as an offset in the heap, "map" or "null"; then every block of the
 * heap as payload:size:status. Own system calls go through raw wrappers, since the C library's
 * malloc would move the break.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *os_malloc(size_t), *os_calloc(size_t, size_t), *os_realloc(void *, size_t);
extern void os_free(void *);
extern int os_errno;

struct block {
    uint64_t size;
    int32_t status;
    struct block *prev, *next;
};

static char input[1 << 20], output[1 << 22];
static void *slots[1 << 16];
static size_t written;
static char *heap;

static void say(const char *format, long a, long b, long c) {
    written += snprintf(output + written, sizeof output - written, format, a, b, c);
}

static void show(void *result) {
    char *end = (char *)syscall(SYS_brk, 0);
    if (!result)
        say("null %ld", os_errno, 0, 0);
    else if ((char *)result >= heap && (char *)result < end)
        say("heap+%ld", (char *)result - heap, 0, 0);
    else
        say("map %ld", ((struct block *)result - 1)->size, 0, 0);
    for (struct block *b = (struct block *)heap; (char *)b < end;
         b = (struct block *)((char *)(b + 1) + b->size))
        say(" %ld:%ld:%ld", (char *)(b + 1) - heap, b->size, b->status);
    say("\n", 0, 0, 0);
}

int main(void) {
    size_t size = 0;
    for (ssize_t got; (got = read(0, input + size, sizeof input - 1 - size)) > 0;)
        size += got;
    long page = 4096;
    heap = (char *)syscall(SYS_brk, ((long)syscall(SYS_brk, 0) + page - 1) & -page);
    char *line = input;
    for (int call = 0; *line; call++) {
        char kind = *line++;
        uint64_t a = strtoull(line, &line, 10), b = 0;
        if (kind == 'c' || kind == 'r')
            b = strtoull(line, &line, 10);
        line += *line == '\n';
        void *result = NULL;
        if (kind == 'm')
            result = os_malloc(a);
        else if (kind == 'c')
            result = os_calloc(a, b);
        else if (kind == 'r')
            result = os_realloc(slots[a], b);
        else
            os_free(slots[a]);
        slots[call] = result;
        show(result);
    }
    for (size_t done = 0; done < written;)
        done += write(1, output + done, written - done);
    return 0;
}
