/* Performs memory system calls on the host's kernel: one a line on the standard input, as
 *
 *     NUMBER ARG0 ARG1 ARG2 ARG3 ARG4 ARG5
 *
 * "b+N" is N bytes from the first break. Prints rax of each as a signed number, or as "b+N" for
 * brk, and at the end the regions between ARENA and ARENA_END as /proc/self/maps has them.
 * Nothing here calls the C library's allocator.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char input[1 << 20], output[1 << 20], maps[1 << 20];
static size_t written;

static size_t slurp(int fd, char *to, size_t room) {
    size_t size = 0;
    for (ssize_t got; (got = read(fd, to + size, room - 1 - size)) > 0;)
        size += got;
    to[size] = 0;
    return size;
}

int main(int count, char **args) {
    uint64_t low = strtoull(args[1], NULL, 0), high = strtoull(args[2], NULL, 0);
    slurp(0, input, sizeof input);
    long heap = syscall(SYS_brk, 0);
    heap = syscall(SYS_brk, (heap + 4095) & -4096L);
    for (char *line = input; *line;) {
        uint64_t call[7];
        for (int i = 0; i < 7; i++) {
            while (*line == ' ')
                line++;
            int from_break = *line == 'b';
            line += 2 * from_break;
            call[i] = (*line == '-' ? (uint64_t)strtoll(line, &line, 0) : strtoull(line, &line, 0));
            call[i] += from_break ? heap : 0;
        }
        line += *line == '\n';
        long answer;
        register long r10 __asm__("r10") = call[4];
        register long r8 __asm__("r8") = call[5];
        register long r9 __asm__("r9") = call[6];
        __asm__ volatile("syscall"
                         : "=a"(answer)
                         : "a"(call[0]), "D"(call[1]), "S"(call[2]), "d"(call[3]), "r"(r10), "r"(r8),
                           "r"(r9)
                         : "rcx", "r11", "memory");
        if (call[0] == SYS_brk)
            written += sprintf(output + written, "b+%ld\n", answer - heap);
        else
            written += sprintf(output + written, "%ld\n", answer);
    }
    slurp(open("/proc/self/maps", O_RDONLY), maps, sizeof maps);
    for (char *line = maps; *line; line = strchr(line, '\n') + 1) {
        char *rest;
        uint64_t start = strtoull(line, &rest, 16), end = strtoull(rest + 1, &rest, 16);
        if (start < high && end > low)
            written += sprintf(output + written, "%lx-%lx %.3s\n", start, end, rest + 1);
    }
    for (size_t done = 0; done < written;)
        done += write(1, output + done, written - done);
    return 0;
}
