/* Ends in one of many ways, for strace to watch. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void nothing(int number) { (void)number; }

static void wait_to_be_killed(void) {
    int ends[2];
    char byte;
    pid_t self = getpid();
    if (pipe(ends) == 0 && fork() == 0) {
        usleep(200000);
        kill(self, SIGKILL);
        _exit(0);
    }
    read(ends[0], &byte, 1);
}

int main(int count, char **args) {
    const char *how = args[count - 1];
    if (!strcmp(how, "exit"))
        syscall(SYS_exit, 7);
    if (!strcmp(how, "exit_group"))
        syscall(SYS_exit_group, 0x1ff);
    if (!strcmp(how, "null"))
        *(volatile int *)0 = 1;
    if (!strcmp(how, "rights"))
        *(volatile char *)main = 1;
    if (!strcmp(how, "ud2"))
        __builtin_trap();
    if (!strcmp(how, "kill"))
        kill(getpid(), SIGKILL);
    if (!strcmp(how, "user"))
        kill(getpid(), SIGUSR1);
    if (!strcmp(how, "realtime"))
        raise(SIGRTMIN);
    if (!strcmp(how, "alarm")) {
        ualarm(1000, 0);
        pause();
    }
    if (!strcmp(how, "killed while it reads"))
        wait_to_be_killed();
    if (!strcmp(how, "handled")) {
        signal(SIGALRM, nothing);
        ualarm(1000, 0);
        pause();
    }
    return 0;
}
