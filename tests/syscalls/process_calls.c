/* Performs system calls on the host's kernel, each sequence of them in a child of its own. On the
 * standard input, one call a line:
 *
 *     NUMBER ARG0 .. ARG5 [ADDRESS=HEX]...
 *
 * "p" is the child's pid; ADDRESS=HEX stores bytes before the call. An empty line ends a sequence.
 * Prints rax as a signed number ("pid" if it is the child's) and the bytes of the arena that the
 * call changed, as OFFSET:HEX; "never" if it was not back after SECONDS, "killed N" if the child died of
 * something else; "end" of a sequence.
 *
 * The arena, from ARENA on: a hole, two pages to read and write, a hole, a page to read, a page
 * that allows nothing, a page to read and write; and each byte of it is FILL.
 *
 * Without a C library: it would have registered things with the kernel, and the calls may change
 * fs and anything else that it stands on.
 */
#include <asm/signal.h>
#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE = 4096, PAGES = 7, FILL = 0xA5, SECONDS = 2 };
#define ARENA 0x100000000000UL
static const char RIGHTS[PAGES] = {-1, 3, 3, -1, 1, 0, 3};

static char input[1 << 23], output[1 << 16];
static unsigned char before[PAGES * PAGE];
static size_t written;

static long call(long n, long a, long b, long c, long d, long e, long f) {
    long answer;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
}

static void flush(void) {
    for (size_t done = 0; done < written;)
        done += call(__NR_write, 1, (long)output + done, written - done, 0, 0, 0);
    written = 0;
}

static void put(char letter) {
    if (written == sizeof output)
        flush();
    output[written++] = letter;
}

static void say(const char *text) {
    while (*text)
        put(*text++);
}

static void say_number(long value) {
    char digits[24], *at = digits + sizeof digits;
    unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;
    *--at = 0;
    do
        *--at = '0' + rest % 10;
    while (rest /= 10);
    if (value < 0)
        put('-');
    say(at);
}

static uint64_t number(char **line) {
    uint64_t value = 0;
    int minus = **line == '-';
    for (*line += minus; **line >= '0' && **line <= '9'; ++*line)
        value = value * 10 + (**line - '0');
    return minus ? -value : value;
}

static int digit(char letter) {
    return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

static int lies_in(long page, int rights) {
    return RIGHTS[page] >= 0 && (RIGHTS[page] & rights) == rights;
}

static void make_arena(void) {
    for (long page = 0; page < PAGES; page++) {
        if (RIGHTS[page] < 0)
            continue;
        char *at = (char *)ARENA + page * PAGE;
        call(__NR_mmap, (long)at, PAGE, 3, 0x32, -1, 0);
        for (int i = 0; i < PAGE; i++)
            ((volatile unsigned char *)at)[i] = FILL;
        call(__NR_mprotect, (long)at, PAGE, RIGHTS[page], 0, 0, 0);
    }
}

static void remember(void) {
    for (long i = 0; i < PAGES * PAGE; i++)
        if (lies_in(i / PAGE, 3))
            ((volatile unsigned char *)before)[i] = ((unsigned char *)ARENA)[i];
}

static void say_changes(void) {
    int running = 0;
    for (long i = 0; i < PAGES * PAGE; i++) {
        int changed = lies_in(i / PAGE, 3) && before[i] != ((unsigned char *)ARENA)[i];
        if (changed && !running) {
            put(' ');
            say_number(i);
            put(':');
        }
        if (changed) {
            put("0123456789abcdef"[((unsigned char *)ARENA)[i] >> 4]);
            put("0123456789abcdef"[((unsigned char *)ARENA)[i] & 15]);
        }
        running = changed;
    }
}

static char *store(char *line) {
    unsigned char *to = (unsigned char *)number(&line);
    for (line++; *line != ' ' && *line != '\n'; line += 2)
        *to++ = digit(line[0]) * 16 + digit(line[1]);
    return line;
}

static void play(char *line, long own) {
    make_arena();
    while (*line && *line != '\n') {
        uint64_t args[7];
        for (int i = 0; i < 7; i++, line += *line == ' ') {
            if (*line == 'p')
                args[i] = own, line++;
            else
                args[i] = number(&line);
        }
        while (*line != '\n') {
            line = store(line);
            line += *line == ' ';
        }
        line++;
        remember();
        call(__NR_alarm, SECONDS, 0, 0, 0, 0, 0);
        long answer = call(args[0], args[1], args[2], args[3], args[4], args[5], args[6]);
        if (answer == own)
            say("pid");
        else
            say_number(answer);
        say_changes();
        put('\n');
        flush();
    }
}

/* What our kernel's root has: see credentials.py. */
static void drop_capabilities(uint64_t kept) {
    uint32_t header[2] = {0x20080522, 0};
    uint32_t low = kept, high = kept >> 32;
    uint32_t data[6] = {low, low, 0, high, high, 0};
    for (long bit = 0; bit < 64; bit++)
        if (!(kept >> bit & 1))
            call(__NR_prctl, 24, bit, 0, 0, 0, 0);
    call(__NR_capset, (long)header, (long)data, 0, 0, 0, 0);
}

static void run(char *sequence, uint64_t kept) {
    long child = call(__NR_fork, 0, 0, 0, 0, 0, 0);
    if (!child) {
        call(__NR_setpgid, 0, 0, 0, 0, 0, 0);
        drop_capabilities(kept);
        play(sequence, call(__NR_getpid, 0, 0, 0, 0, 0, 0));
        call(__NR_exit_group, 0, 0, 0, 0, 0, 0);
    }
    int status = 0;
    call(__NR_wait4, child, (long)&status, 0, 0, 0, 0);
    if (status == SIGALRM) {
        say("never\n");
    } else if (status) {
        say("killed ");
        say_number(status);
        put('\n');
    }
    say("end\n");
    flush();
}

static char *past(char *sequence) {
    while (*sequence && *sequence != '\n') {
        while (*sequence++ != '\n')
            ;
    }
    return sequence + (*sequence == '\n');
}

__attribute__((used)) static void start(long *stack) {
    char *kept = (char *)stack[2];
    uint64_t capabilities = number(&kept);
    size_t size = 0;
    for (long got; (got = call(__NR_read, 0, (long)input + size, sizeof input - 1 - size, 0, 0, 0)) > 0;)
        size += got;
    for (char *sequence = input; *sequence; sequence = past(sequence))
        run(sequence, capabilities);
    call(__NR_exit_group, 0, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall start\n");
