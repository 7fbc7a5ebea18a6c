/* Makes the calls in a file, some times over, and says how many nanoseconds each time took:
 * replay_natively CALLS [TIMES]
 *
 * A call is kind u32 (malloc, calloc, realloc, free), block u32, bytes u64; of calloc, the count is
 * in the upper half of the bytes.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#ifdef OS
extern void *os_malloc(size_t), *os_calloc(size_t, size_t), *os_realloc(void *, size_t);
extern void os_free(void *);
#define malloc os_malloc
#define calloc os_calloc
#define realloc os_realloc
#define free os_free
#endif

struct call {
    uint32_t kind, block;
    uint64_t bytes;
};

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void make(const struct call *call, const struct call *end, void **blocks) {
    for (; call < end; call++) {
        void **block = blocks + call->block;
        switch (call->kind) {
        case 0: *block = malloc(call->bytes); break;
        case 1: *block = calloc(call->bytes >> 32, (uint32_t)call->bytes); break;
        case 2: *block = realloc(*block, call->bytes); break;
        default: free(*block);
        }
    }
}

int main(int count, char **arguments) {
    struct stat about;
    int file = open(arguments[1], O_RDONLY);
    if (file < 0 || fstat(file, &about))
        return 1;
    size_t calls = about.st_size / sizeof(struct call);
    int times = count > 2 ? atoi(arguments[2]) : 1;
    int both = PROT_READ | PROT_WRITE, fresh = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    struct call *call = mmap(0, about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    void **blocks = mmap(0, (calls + 1) * sizeof *blocks, both, fresh, -1, 0);
    long took[times];
    for (int at = 0; at < times; at++) {
        long begun = now();
        make(call, call + calls, blocks);
        took[at] = now() - begun;
    }
    for (int at = 0; at < times; at++)
        printf("%ld\n", took[at]);
}
