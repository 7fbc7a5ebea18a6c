/* Performs memory system calls on the host's kernel, one sequence of them after the other, each in
 * a process of its own. A sequence on the standard input is lines, and "." at the end:
 *
 *     s NUMBER ARG0 ... ARG5      a system call; "b+N" is N bytes from the first break
 *     r ADDRESS                   reads a byte          w ADDRESS BYTE      writes one
 *     l RESOURCE VALUE            a limit; those of the address space and of data count from what
 *                                 is used now
 *     d                           what RLIMIT_DATA counts below the heap for brk, less what it
 *                                 counts there for mappings
 *
 * On the standard output: a line for each (rax as a signed number, or "b+N"; the byte, or what
 * the access was answered with), then the regions as /proc/self/smaps has them, each with
 * its pages (resident or not, checksum or fault), then the totals, then ".".
 *
 * Descriptors: 10 is a file of three pages and a half, 11 the same to be read, 12 to be written,
 * 13 another open file of it, 14 another file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, FILE_SIZE = 3 * PAGE + PAGE / 2, MOST_PAGES = 64, HEAP_ROOM = 1 << 28 };

static char input[1 << 22], output[1 << 22], text[1 << 20], handler_stack[1 << 16];
static size_t written, filled;
static unsigned char resident[MOST_PAGES];
static uint32_t crc_table[256];
static sigjmp_buf back;
static const char *fault;
static long heap, page_count[4], base[4];

static void say(const char *words) {
    size_t size = strlen(words);
    memcpy(output + written, words, size);
    written += size;
}

static void flush(void) {
    for (size_t done = 0; done < written;)
        done += write(1, output + done, written - done);
    written = 0;
}

static size_t slurp(const char *path) {
    int fd = open(path, O_RDONLY);
    size_t size = 0;
    for (ssize_t got; (got = read(fd, text + size, sizeof text - 1 - size)) > 0;)
        size += got;
    text[size] = 0;
    close(fd);
    return size;
}

static void on_fault(int number, siginfo_t *info, void *context) {
    fault = number == SIGBUS ? "BUS" : info->si_code == SEGV_MAPERR ? "MAPERR" : "ACCERR";
    siglongjmp(back, 1);
}

static void catch_faults(void) {
    stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

/* VmSize, VmData, VmStk and VmLck, in pages. */
static void count_pages(void) {
    static const char *names[] = {"VmSize:", "VmData:", "VmStk:", "VmLck:"};
    slurp("/proc/self/status");
    for (int i = 0; i < 4; i++)
        page_count[i] = atol(strstr(text, names[i]) + strlen(names[i])) / 4;
}

static void make_files(void) {
    static const int numbers[] = {10, 14};
    char data[FILE_SIZE];
    for (int i = 0; i < FILE_SIZE; i++)
        data[i] = i % 251 + 1;
    for (int i = 0; i < 2; i++) {
        int fd = memfd_create(i ? "other" : "file", 0);
        dup2(fd, numbers[i]);
        close(fd);
        pwrite(numbers[i], data, FILE_SIZE, 0);
    }
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
    for (int i = 0; i < 3; i++) {
        int fd = open("/proc/self/fd/10", modes[i]);
        dup2(fd, 11 + i);
        close(fd);
    }
}

static uint64_t number(char **line) {
    while (**line == ' ')
        ++*line;
    int from_break = **line == 'b';
    *line += 2 * from_break;
    uint64_t value = **line == '-' ? (uint64_t)strtoll(*line, line, 0) : strtoull(*line, line, 0);
    return value + (from_break ? heap : 0);
}

static void perform(char *line) {
    uint64_t call[7];
    for (int i = 0; i < 7; i++)
        call[i] = number(&line);
    long answer;
    register long r10 __asm__("r10") = call[4];
    register long r8 __asm__("r8") = call[5];
    register long r9 __asm__("r9") = call[6];
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(call[0]), "D"(call[1]), "S"(call[2]), "d"(call[3]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    if (answer >= heap && answer < heap + HEAP_ROOM)
        written += sprintf(output + written, "b+%ld\n", answer - heap);
    else
        written += sprintf(output + written, "%ld\n", answer);
}

static void touch(char *line, int writes) {
    volatile unsigned char *place = (unsigned char *)number(&line);
    unsigned char byte = writes ? number(&line) : 0;
    if (sigsetjmp(back, 0)) {
        written += sprintf(output + written, "%s\n", fault);
        return;
    }
    if (writes)
        *place = byte;
    else
        byte = *place;
    written += sprintf(output + written, "%d\n", byte);
}

static void limit(char *line) {
    int resource = number(&line);
    struct rlimit limits;
    getrlimit(resource, &limits);
    limits.rlim_cur = number(&line);
    count_pages();
    if (resource == RLIMIT_AS)
        limits.rlim_cur += page_count[0] * PAGE;
    if (resource == RLIMIT_DATA)
        limits.rlim_cur += page_count[1] * PAGE;
    written += sprintf(output + written, "%d\n", setrlimit(resource, &limits));
}

static void tell_data(void) {
    slurp("/proc/self/stat");
    char *field = strrchr(text, ')');
    long value[48];
    for (int i = 3; i < 48; i++, field++)
        value[i] = (field = strchr(field, ' ')) ? strtol(field, NULL, 10) : 0;
    written += sprintf(output + written, "%ld\n",
                       heap - value[47] + value[46] - value[45] - base[1] * PAGE);
}

static void show_page(unsigned char *page) {
    if (sigsetjmp(back, 0)) {
        written += sprintf(output + written, ":%s", fault);
        return;
    }
    uint32_t crc = ~0u, any = 0;
    for (int i = 0; i < PAGE; i++) {
        any |= page[i];
        crc = crc_table[(crc ^ page[i]) & 0xFF] ^ crc >> 8;
    }
    written += any ? sprintf(output + written, ":%x", ~crc) : sprintf(output + written, ":");
}

static void show_pages(unsigned char *start, unsigned char *end) {
    int count = end - start > MOST_PAGES * PAGE ? MOST_PAGES : (end - start) / PAGE;
    mincore(start, count * PAGE, resident);
    for (int i = 0; i < count; i++) {
        written += sprintf(output + written, " %d", resident[i] & 1);
        show_page(start + i * PAGE);
    }
}

/* Of smaps: everything but what the program itself consists of. */
static void show_regions(void) {
    static char copy[sizeof text];
    memcpy(copy, text, slurp("/proc/self/smaps") + 1);
    memcpy(copy, text, sizeof text);
    char *next;
    for (char *line = copy; *line; line = next) {
        char *flags = strstr(line, "VmFlags:"), *rest, *end_of_line = strchr(line, '\n');
        next = strchr(flags, '\n') + 1;
        *end_of_line = next[-1] = 0;
        uint64_t start = strtoull(line, &rest, 16), end = strtoull(rest + 1, &rest, 16);
        int below = end <= (uint64_t)heap;
        if (below || strstr(line, "[stack]") || strstr(line, "[v"))
            continue;
        char *from = start < HEAP_ROOM ? "b+" : "";
        uint64_t origin = *from ? heap : 0;
        uint64_t offset = strtoull(rest + 6, NULL, 16);
        char *name = strstr(line, "/memfd:") ? strstr(line, "/memfd:") + 7
                     : strstr(line, "/dev/zero") ? "shared" : "";
        int length = strcspn(name, " ");
        written += sprintf(output + written, "%s%lx-%lx %.4s %lx %.*s|%s|", from, start - origin,
                           end - origin, rest + 1, offset, length, name, flags + 9);
        show_pages((unsigned char *)start, (unsigned char *)end);
        say("\n");
    }
}

static void play(char *line) {
    catch_faults();
    make_files();
    heap = syscall(SYS_brk, 0);
    heap = syscall(SYS_brk, (heap + PAGE - 1) & -(long)PAGE);
    count_pages();
    memcpy(base, page_count, sizeof base);
    for (; *line != '.'; line = strchr(line, '\n') + 1) {
        if (*line == 's')
            perform(line + 1);
        else if (*line == 'l')
            limit(line + 1);
        else if (*line == 'd')
            tell_data();
        else
            touch(line + 1, *line == 'w');
    }
    count_pages();
    long after[4];
    memcpy(after, page_count, sizeof after);
    show_regions();
    for (int i = 0; i < 4; i++)
        written += sprintf(output + written, "%ld ", after[i] - base[i]);
    say("\n");
    flush();
}

/* Where a whole sequence stands at the start of the input, what is behind it; else NULL. */
static char *end_of_sequence(void) {
    for (char *line = input; line; line = strchr(line, '\n'), line = line ? line + 1 : line)
        if (line[0] == '.' && line[1] == '\n')
            return line + 2;
    return NULL;
}

static void without_privileges(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    syscall(SYS_capset, &header, none);
}

int main(int count, char **args) {
    if (!(personality(0xFFFFFFFF) & ADDR_NO_RANDOMIZE)) {
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", args);
    }
    without_privileges();
    for (uint32_t i = 0; i < 256; i++) {
        crc_table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            crc_table[i] = crc_table[i] >> 1 ^ (crc_table[i] & 1 ? 0xEDB88320 : 0);
    }
    for (ssize_t got; (got = read(0, input + filled, sizeof input - 1 - filled)) > 0;) {
        filled += got;
        input[filled] = 0;
        for (char *rest; (rest = end_of_sequence());) {
            int status;
            if (!fork()) {
                play(input);
                _exit(0);
            }
            wait(&status);
            if (status)
                written += sprintf(output + written, "died %x\n", status);
            say(".\n");
            flush();
            filled -= rest - input;
            memmove(input, rest, filled + 1);
        }
    }
    return 0;
}
