/* What an allocator in C is linked with, so that it is a program: its main, unless it has one. */

#include <errno.h>
#include <stdio.h>

__attribute__((weak)) int main(void)
{
    return 0;
}

/* An allocator that prints must not be called for the buffer of what it prints. */
__attribute__((constructor)) static void give_stdout_a_buffer(void)
{
    static char room[BUFSIZ];
    setvbuf(stdout, room, _IOLBF, sizeof room);
}

/* Linked in, so that errno can be found. */
__attribute__((used)) static int *(*const errno_at)(void) = __errno_location;
