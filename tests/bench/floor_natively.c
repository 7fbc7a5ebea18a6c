/* Asks the kernel what a file says, touches what it says, and says how many nanoseconds that took:
 * floor_natively EVENTS
 *
 * An event is kind u32 (brk, mmap, munmap, touch the heap, touch a mapping), mapping u32, number
 * u64: bytes from the first break on, or of the mapping.
 */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct event {
    uint32_t kind, mapping;
    uint64_t number;
};

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

int main(int count, char **arguments) {
    struct stat about;
    int file = open(arguments[1], O_RDONLY);
    if (file < 0 || fstat(file, &about))
        return 1;
    size_t events = about.st_size / sizeof(struct event);
    int both = PROT_READ | PROT_WRITE, fresh = MAP_PRIVATE | MAP_ANONYMOUS;
    struct event *event = mmap(0, about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    char **mapped = mmap(0, (events + 1) * sizeof *mapped, both, fresh | MAP_POPULATE, -1, 0);
    long begun = now();
    char *heap = (char *)syscall(SYS_brk, 0);
    for (struct event *end = event + events; event < end; event++) {
        char **mapping = mapped + event->mapping;
        switch (event->kind) {
        case 0: syscall(SYS_brk, heap + event->number); break;
        case 1: *mapping = mmap(0, event->number, both, fresh, -1, 0); break;
        case 2: munmap(*mapping, event->number); break;
        case 3: *(volatile long *)(heap + event->number) = 1; break;
        default: *(volatile long *)*mapping = 1;
        }
    }
    printf("%ld\n", now() - begun);
}
