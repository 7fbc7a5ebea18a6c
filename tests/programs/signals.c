/* Handlers, masks, queues, stacks and timers: what a program of one thread can do with signals. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int depth;
static char log_[4096];

static void note(const char *text) { strcat(log_, text); }
static void show(const char *what) {
    printf("%s:%s\n", what, log_);
    log_[0] = 0;
}

static void handler(int number, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    char text[200];
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    snprintf(text, sizeof text, " [%d code %d%s value %d blocked %d%d%d before %d%d%d link %d%s",
             number, info->si_code, info->si_pid == getpid() ? " own" : "",
             info->si_code == SI_QUEUE ? info->si_value.sival_int : 0, sigismember(&mask, SIGUSR1),
             sigismember(&mask, SIGUSR2), sigismember(&mask, SIGRTMIN),
             sigismember(&uc->uc_sigmask, SIGUSR1), sigismember(&uc->uc_sigmask, SIGUSR2),
             sigismember(&uc->uc_sigmask, SIGRTMIN), uc->uc_link != NULL, "");
    note(text);
    if (depth-- > 0)
        raise(number);
    note("]");
}

static void set(int number, int flags, int also) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    if (also)
        sigaddset(&action.sa_mask, also);
    sigaction(number, &action, NULL);
}

static void masked(int how, int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(how, &set, NULL);
}

/* A handler may change what it interrupted. */
static void skip(int number, siginfo_t *info, void *context) {
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)number, (void)info;
    r[REG_RIP] += 2;
    r[REG_RBX] += 1;
    ((ucontext_t *)context)->uc_mcontext.fpregs->_xmm[3].element[0] = 0x12345678;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm4; fninit; mov $7, %%r12" ::
                         : "xmm0", "xmm4", "r12");
}

static void registers(void) {
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    long rbx = 41, r12 = 12, carry = 0;
    unsigned xmm3 = 0, xmm4 = 4;
    double top = 0;
    sigaction(SIGILL, &action, NULL);
    __asm__ volatile("movd %[four], %%xmm4; fldpi; stc; ud2; setc %b[carry]; fstpl %[top];"
                     "movd %%xmm3, %[three]; movd %%xmm4, %[four]"
                     : "+b"(rbx), [r12] "+r"(r12), [carry] "+r"(carry), [three] "=r"(xmm3),
                       [four] "+r"(xmm4), [top] "=m"(top)
                     :: "xmm3", "xmm4", "memory");
    printf("registers: rbx %ld r12 %ld carry %ld xmm3 %x xmm4 %x st %.6f\n", rbx, r12, carry, xmm3,
           xmm4, top);
}

static sigjmp_buf out;
static char stack[65536] __attribute__((aligned(16)));

static void on_stack(int number, siginfo_t *info, void *context) {
    char here;
    stack_t now;
    (void)info;
    sigaltstack(NULL, &now);
    printf("stack overflow: signal %d, on the alternate stack %d, flags %d, saved size %lu\n", number,
           &here >= stack && &here < stack + sizeof stack, now.ss_flags,
           (unsigned long)((ucontext_t *)context)->uc_stack.ss_size);
    siglongjmp(out, 1);
}

static volatile int deep;
static int overflow(int n) {
    volatile char room[1000];
    room[n % 1000] = deep;
    return n ? overflow(n + 1) + room[n % 1000] : 0;
}

static void alternate(void) {
    stack_t given = {.ss_sp = stack, .ss_size = sizeof stack}, small = {.ss_sp = stack, .ss_size = 2047};
    struct sigaction action = {.sa_sigaction = on_stack, .sa_flags = SA_SIGINFO | SA_ONSTACK}, old;
    int error = sigaltstack(&small, NULL) ? errno : 0;
    printf("a small stack: %s\n", strerror(error));
    small.ss_flags = 77;
    error = sigaltstack(&small, NULL) ? errno : 0;
    printf("strange flags: %s\n", strerror(error));
    sigaltstack(&given, NULL);
    sigaction(SIGSEGV, &action, &old);
    if (!sigsetjmp(out, 1))
        overflow(1);
    given.ss_flags = SS_DISABLE;
    sigaltstack(&given, NULL);
    sigaltstack(NULL, &given);
    printf("disabled: flags %d size %lu\n", given.ss_flags, (unsigned long)given.ss_size);
    sigaction(SIGSEGV, &old, NULL);
}

static volatile int ticks;
static void tick(int number) { (void)number, ticks++; }

static void timers(void) {
    struct itimerval every = {{0, 2000}, {0, 1000}}, none = {{0, 0}, {0, 0}}, left;
    sigset_t all;
    signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &every, NULL);
    while (ticks < 3)
        ;
    setitimer(ITIMER_REAL, &none, &left);
    printf("ticks: %d, interval %ld\n", ticks >= 3, (long)left.it_interval.tv_usec);
    fflush(stdout);
    ticks = 0;
    alarm(1);
    int answer = pause();
    printf("pause: %d %s, %d tick\n", answer, strerror(errno), ticks);
    alarm(100);
    unsigned before = alarm(0);
    printf("alarm: %u left, then %u\n", before, alarm(0));
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    alarm(1);
    sigdelset(&all, SIGALRM);
    answer = sigsuspend(&all);
    printf("sigsuspend: %d %s, %d tick\n", answer, strerror(errno), ticks);
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    struct timespec second = {2, 0}, rest = {0, 0};
    alarm(1);
    answer = nanosleep(&second, &rest);
    printf("nanosleep: %d %s, about %ld s left\n", answer, answer ? strerror(errno) : "", (long)(rest.tv_sec + (rest.tv_nsec > 500000000)));
}

static void waiting(void) {
    sigset_t set;
    siginfo_t info;
    struct timespec zero = {0, 0}, little = {0, 1000000};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int answer = sigtimedwait(&set, &info, &zero);
    printf("nothing to wait for: %d %s\n", answer, strerror(errno));
    answer = sigtimedwait(&set, &info, &little);
    printf("nothing within 1 ms: %d %s\n", answer, strerror(errno));
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 77});
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 78});
    raise(SIGUSR1);
    for (int i = 0; i < 3; i++) {
        int number = sigwaitinfo(&set, &info);
        printf("waited for: %d code %d value %d\n", number, info.si_code,
               info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ppoll and pselect let a blocked signal through while they wait. */
static void polling(void) {
    sigset_t none, usr1, now;
    struct timespec zero = {0, 0}, little = {0, 1000};
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    set(SIGUSR1, 0, 0);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    int answer = ppoll(NULL, 0, &little, &none);
    printf("ppoll: %d", answer);
    raise(SIGUSR1);
    answer = ppoll(NULL, 0, &little, NULL);
    printf(", blocked %d", answer);
    answer = ppoll(NULL, 0, &zero, &none);
    printf(", let through %d %s", answer, strerror(errno));
    show("");
    raise(SIGUSR1);
    answer = pselect(0, NULL, NULL, NULL, NULL, &none);
    printf("pselect: %d %s", answer, strerror(errno));
    show("");
    sigprocmask(SIG_UNBLOCK, &usr1, &now);
    printf("blocked again: %d\n", sigismember(&now, SIGUSR1));
}

static void errors(void) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    errno = 0;
    printf("errors: kill 65 %d", syscall(SYS_kill, getpid(), 65) ? errno : 0);
    printf(", nobody %d", syscall(SYS_kill, 99999999, 0) ? errno : 0);
    printf(", tgkill 0 %d", syscall(SYS_tgkill, 0, getpid(), 1) ? errno : 0);
    printf(", tkill -1 %d", syscall(SYS_tkill, -1, 1) ? errno : 0);
    printf(", SIGKILL %d", sigaction(SIGKILL, &action, NULL) ? errno : 0);
    printf(", set size %d", syscall(SYS_rt_sigprocmask, 0, NULL, NULL, 4) ? errno : 0);
    printf(", how %d", syscall(SYS_rt_sigprocmask, 5, log_, NULL, 8) ? errno : 0);
    printf(", bad pointer %d", syscall(SYS_rt_sigaction, SIGUSR1, 1L, NULL, 8) ? errno : 0);
    printf(", itimer 3 %d", syscall(SYS_setitimer, 3, NULL, NULL) ? errno : 0);
    printf(", kill 0 to itself %d\n", kill(getpid(), 0));
}

int main(void) {
    union sigval value = {.sival_int = 5};
    set(SIGUSR1, 0, SIGUSR2);
    set(SIGUSR2, 0, 0);
    set(SIGRTMIN, 0, 0);
    raise(SIGUSR1);
    show("raise");
    kill(getpid(), SIGUSR2);
    show("kill");
    masked(SIG_BLOCK, SIGUSR1);
    masked(SIG_BLOCK, SIGUSR2);
    masked(SIG_BLOCK, SIGRTMIN);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    for (value.sival_int = 5; value.sival_int < 8; value.sival_int++)
        sigqueue(getpid(), SIGRTMIN, value);
    sigset_t pending;
    sigpending(&pending);
    printf("pending: %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2),
           sigismember(&pending, SIGRTMIN));
    show("blocked");
    masked(SIG_UNBLOCK, SIGUSR1);
    show("USR1 let through");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    show("all let through");
    depth = 1;
    raise(SIGUSR1);
    show("raised in itself");
    set(SIGUSR1, SA_NODEFER, 0);
    depth = 2;
    raise(SIGUSR1);
    show("not deferred");
    depth = 0;
    set(SIGUSR1, SA_RESETHAND, 0);
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    show("reset");
    printf("its action: %s\n", now.sa_handler == SIG_DFL ? "default" : "kept");
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    masked(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    sigpending(&pending);
    printf("ignored, blocked and pending: %d", sigismember(&pending, SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pending);
    printf(" then %d\n", sigismember(&pending, SIGUSR1));
    set(SIGUSR1, 0, 0);
    masked(SIG_UNBLOCK, SIGUSR1);
    show("nothing is left");
    raise(SIGCHLD);
    raise(SIGWINCH);
    raise(SIGCONT);
    raise(SIGURG);
    registers();
    alternate();
    waiting();
    timers();
    polling();
    errors();
    fflush(stdout);
    abort();
}
