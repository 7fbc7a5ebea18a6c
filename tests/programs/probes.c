/* What programs ask now and then, a line each. argv[0] may be relative: the folder is left first. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static const int both = PROT_READ | PROT_WRITE;

static const char *executable(void) {
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size < 0)
        return strerror(errno);
    path[size] = 0;
    return path;
}

static void zeros(const char *what, int opened, int rights, int flags) {
    int fd = open("/dev/zero", opened);
    char *page = mmap(NULL, 8192, rights, flags, fd, 0);
    if (page == MAP_FAILED) {
        printf("%s: %s\n", what, strerror(errno));
        return;
    }
    printf("%s: %d, mprotect ", what, page[5000]);
    puts(mprotect(page, 8192, both) ? strerror(errno) : "0");
    close(fd);
}

static void traced(int number, siginfo_t *info, void *context) {
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
    printf("single step: signal %d code %d\n", number, info->si_code);
}

static void single_step(void) {
    struct sigaction action = {.sa_sigaction = traced, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    __asm__ volatile("sub $256, %%rsp; pushf; orq $0x100, (%%rsp); popf; nop; "
                     "add $256, %%rsp" ::: "memory", "cc");
}

int main(void) {
    single_step();
    printf("executable %s\n", executable());
    chdir("/");
    printf("after chdir %s\n", executable());
    printf("it opens %d\n", open("/proc/self/exe", O_RDONLY) > 0);
    zeros("private zeros", O_RDONLY, both, MAP_PRIVATE);
    zeros("shared zeros", O_RDWR, both, MAP_SHARED);
    zeros("validated zeros", O_RDWR, both, MAP_SHARED_VALIDATE);
    zeros("shared zeros to read", O_RDONLY, PROT_READ, MAP_SHARED);
    zeros("to write what was opened to read", O_RDONLY, both, MAP_SHARED);
    zeros("not to be read", O_WRONLY, both, MAP_PRIVATE);
    zeros("growing down", O_RDWR, both, MAP_PRIVATE | MAP_GROWSDOWN);
    return 0;
}
