/* Plays system calls, for strace to watch: no C library, and no call of its own between them.
 *
 * Whoever builds it writes the script over the section .script, as words of 64 bits:
 *
 *     count, log
 *     for each call: number, six arguments, pokes, and for each poke: offset, size, bytes, padded
 *
 * Before each call the arena is zeroed and the pokes are put into it, and a call without meaning,
 * MARK(index), tells where in strace's output the next one begins. With log, the results and what
 * the arena holds after each call go to the standard output at the end. Nothing is mapped behind
 * the arena.
 */
typedef unsigned long word;

enum { MARK = 0x1000, ARENA = 8192, LOGGED = 512 };

__attribute__((section(".script,\"aw\",@progbits#"))) word script[1 << 19] = {0x5ca1ab1e0ddba11};
__attribute__((section(".arena,\"aw\",@progbits#"), aligned(4096))) char arena[ARENA] = {1};
static struct {
    word result;
    char arena[ARENA];
} record[LOGGED];

static word call(word number, const word *args) {
    register word r10 __asm__("r10") = args[3];
    register word r8 __asm__("r8") = args[4];
    register word r9 __asm__("r9") = args[5];
    word answer;
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
}

static void mark(word index) { call(MARK, (word[6]){index}); }

static const word *poke(const word *next) {
    volatile char *to = arena + next[0];
    word size = next[1];
    const char *from = (const char *)(next + 2);
    for (word i = 0; i < size; i++)
        to[i] = from[i];
    return next + 2 + (size + 7) / 8;
}

__attribute__((force_align_arg_pointer)) void _start(void) {
    word count = script[0], log = script[1];
    const word *next = script + 2;
    for (word i = 0; i < count; i++) {
        const word *made = next;
        for (volatile char *at = arena; at < arena + ARENA; at++)
            *at = 0;
        next += 8;
        for (word pokes = made[7]; pokes; pokes--)
            next = poke(next);
        mark(i);
        word result = call(made[0], made + 1);
        if (log) {
            record[i].result = result;
            for (word at = 0; at < ARENA; at++)
                record[i].arena[at] = arena[at];
        }
    }
    mark(count);
    if (log)
        call(1, (word[6]){1, (word)record, count * sizeof *record});
    call(231, (word[6]){0});
    __builtin_trap(); /* where exit_group was made to come back */
}
