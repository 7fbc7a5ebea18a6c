/* A program for a libc that is its own dynamic loader (musl): started without that libc's crt. */

extern int __libc_start_main(int (*)(void), int, char **, void (*)(void), void (*)(void),
                             void (*)(void));

int main(void)
{
    return 0;
}

static void nothing(void)
{
}

__attribute__((used)) void start(long *stack)
{
    __libc_start_main(main, *stack, (char **)(stack + 1), nothing, nothing, 0);
}

__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call start\n"
        "    hlt\n");
