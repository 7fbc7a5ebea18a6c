/* Every kind of fault, caught: what siginfo and ucontext say of it. The same lines on any Linux. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf out;
static siginfo_t info;
static long trapno, error_code, cr2, rip;

static void caught(int number, siginfo_t *given, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)number;
    info = *given;
    trapno = registers[REG_TRAPNO];
    error_code = registers[REG_ERR];
    cr2 = registers[REG_CR2];
    rip = registers[REG_RIP];
    siglongjmp(out, 1);
}

static void report(const char *what, void *base) {
    long address = (long)info.si_addr;
    int at_rip = address && address == rip;
    printf("%-28s signal %2d code %3d trap %2ld error %2ld address ", what, info.si_signo,
           info.si_code, trapno, error_code);
    if (at_rip)
        puts("the instruction");
    else if (base && address)
        printf("base%+ld, cr2 base%+ld\n", address - (long)base, cr2 - (long)base);
    else
        printf("%#lx\n", address);
}

#define TRY(what, base, ...)                                                                       \
    do {                                                                                           \
        if (!sigsetjmp(out, 1)) {                                                                  \
            __VA_ARGS__;                                                                           \
            printf("%-28s no fault\n", what);                                                      \
        } else                                                                                     \
            report(what, base);                                                                    \
    } while (0)

static volatile char sink;
static char room[64] __attribute__((aligned(64)));

int main(int argc, char **argv) {
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &action, NULL);
    char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page + 4096, 4096, PROT_READ);
    munmap(page + 8192, 4096);
    char *none = mmap(page - (64 << 20), 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[4096 + 8] ? abort() : (void)0;
    page[0] = page[100] = 1;

    TRY("read of NULL", NULL, sink = *(volatile char *)0);
    TRY("write to NULL + 8", NULL, *(volatile long *)8 = 1);
    TRY("jump to NULL", NULL, ((void (*)(void))0)());
    TRY("write to a read-only page", page, *(volatile int *)(page + 4096 + 12) = 1);
    TRY("read of a hole", page, sink = *(volatile char *)(page + 8192 + 5));
    TRY("write to a hole", page, *(volatile char *)(page + 8192) = 1);
    TRY("read of PROT_NONE", none, sink = none[77]);
    TRY("jump to data", page, ((void (*)(void))(page + 16))());
    TRY("jump to PROT_NONE", none, ((void (*)(void))(none + 16))());
    TRY("read across into a hole", page, sink = *(volatile int *)(page + 8192 - 2));
    TRY("write across into read-only", page, *(volatile int *)(page + 4096 - 2) = 1);
    TRY("a bad address", NULL, sink = *(volatile char *)0x8000000000000000);
    TRY("a bad address through rbp", NULL, __asm__ volatile("push %%rbp; mov %0, %%rbp; mov (%%rbp), %%rax; pop %%rbp" ::"r"(0x8000000000000000) : "rax", "memory"));
    TRY("a bad address through fs", NULL, __asm__ volatile("mov %%fs:(%0), %%rax" ::"r"(0x8000000000000000) : "rax", "memory"));
    TRY("return to a bad address", NULL, __asm__ volatile("push %0; ret" ::"r"(0x8000000000000000) : "memory"));
    TRY("jump to a bad address", NULL, __asm__ volatile("jmp *%0" ::"r"(0x8000000000000000) : "memory"));
    TRY("a kernel address", NULL, sink = *(volatile char *)0xffffffff81000000);
    TRY("write to a kernel address", NULL, *(volatile char *)0xffffffff81000000 = 1);
    TRY("division by zero", NULL, __asm__ volatile("xor %%ecx, %%ecx; xor %%edx, %%edx; mov $1, %%eax; div %%ecx" ::: "eax", "ecx", "edx"));
    TRY("division that overflows", NULL, __asm__ volatile("mov $-1, %%ecx; mov $0x80000000, %%eax; cdq; idiv %%ecx" ::: "eax", "ecx", "edx"));
    TRY("ud2", NULL, __asm__ volatile("ud2"));
    TRY("int3", NULL, __asm__ volatile("int3"));
    TRY("hlt", NULL, __asm__ volatile("hlt"));
    TRY("cli", NULL, __asm__ volatile("cli"));
    TRY("in", NULL, __asm__ volatile("in %%dx, %%al" ::: "eax"));
    TRY("wrmsr", NULL, __asm__ volatile("wrmsr"));
    TRY("mov to cr3", NULL, __asm__ volatile("mov %%rax, %%cr3" ::: "memory"));
    TRY("int 0xff", NULL, __asm__ volatile("int $0xff"));
    TRY("movaps, aligned", NULL, __asm__ volatile("movaps %%xmm0, (%0)" ::"r"(room) : "memory"));
    TRY("movaps, not aligned", NULL, __asm__ volatile("movaps %%xmm0, (%0)" ::"r"(room + 8) : "memory"));
    TRY("rep movsb into a hole", page, memset(page, 1, 64); __asm__ volatile("rep movsb" ::"S"(page), "D"(page + 8192 - 4), "c"(64) : "memory"));
    TRY("rep stosq into read-only", page, __asm__ volatile("rep stosq" ::"a"(7), "D"(page + 4096 - 20), "c"(8) : "memory"));
    TRY("push onto a hole", page, __asm__ volatile("mov %%rsp, %%rbx; lea 8192(%0), %%rsp; sub $4088, %%rsp; push %%rax; mov %%rbx, %%rsp" ::"r"(page) : "rbx", "memory"));
    int file = argc > 1 ? open(argv[1], O_RDONLY) : -1;
    char *text = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE, file, 0);
    if (text != MAP_FAILED) {
        TRY("read behind the end of a file", text, sink = text[1 << 19]);
        TRY("write behind the end of a file", text, text[1 << 19] = 1);
        sink = text[0];
        TRY("write to a file that is read", text, text[0] = 1);
    }
    unsigned short strict = 0x037b;
    TRY("an x87 division by zero", NULL, __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" ::"m"(strict)));
    __asm__ volatile("fninit");
    puts("done");
    return 0;
}
