/* Blocks that are allocated and given back, and hardly anything else. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    void *held[64] = {0};
    unsigned state = 1;
    int turns = argc > 1 ? atoi(argv[1]) : 1000;
    long total = 0;
    for (int i = 0; i < turns; i++) {
        state = state * 1103515245u + 12345u;
        int slot = (state >> 16) % 64;
        free(held[slot]);
        held[slot] = malloc(16 + (state >> 8) % 200);
        memset(held[slot], slot, 16);
        total += ((char *)held[slot])[3];
    }
    printf("%ld\n", total);
    return 0;
}
