/* Does one thing that its first argument names: for tests of what a program is given, and allowed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int is(const char *given, const char *wanted) { return !strcmp(given, wanted); }

static int deep(int n) {
    volatile char room[4096];
    room[n % 4096] = 1;
    return n > 0 ? deep(n - 1) + room[n % 4096] : 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "", *path = argc > 2 ? argv[2] : "";
    char text[4096] = "";
    struct timespec now;
    if (is(what, "random")) {
        unsigned long word;
        getrandom(&word, sizeof word, 0);
        printf("%016lx\n", word);
    } else if (is(what, "time")) {
        clock_gettime(CLOCK_REALTIME, &now);
        printf("%ld\n", (long)now.tv_sec);
    } else if (is(what, "sleep")) {
        sleep(atoi(path));
        clock_gettime(CLOCK_MONOTONIC, &now);
        printf("%ld\n", (long)now.tv_sec);
    } else if (is(what, "variable"))
        printf("%s\n", getenv(path) ? getenv(path) : "(none)");
    else if (is(what, "folder"))
        puts(getcwd(text, sizeof text));
    else if (is(what, "read")) {
        int fd = open(path, O_RDONLY);
        if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
            printf("%s\n", strerror(errno));
        else
            printf("%s", text);
    } else if (is(what, "write")) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (fd < 0 || write(fd, "written\n", 8) != 8)
            printf("%s\n", strerror(errno));
    } else if (is(what, "loop"))
        for (;;)
            ;
    else if (is(what, "touch")) {
        char *room = malloc(64 << 20);
        memset(room, 1, 64 << 20);
        printf("%d\n", room[atoi(path)]);
    } else if (is(what, "talk"))
        for (;;)
            puts("talk");
    else if (is(what, "pause"))
        pause();
    else if (is(what, "fork")) {
        int answer = fork();
        printf("%d %s\n", answer, strerror(errno));
    } else if (is(what, "deep"))
        printf("%d\n", deep(atoi(path)) >= 0);
    else if (is(what, "open")) {
        int fd, last = 0;
        while ((fd = open("/dev/null", O_RDONLY)) >= 0)
            last = fd;
        printf("%d %s\n", last, strerror(errno));
    } else if (is(what, "kill"))
        raise(atoi(path));
    else if (is(what, "null"))
        *(volatile int *)0 = 1;
    else
        return 77;
    return 0;
}
