/* Plays calls of malloc and its like on the host, and writes their results.
 *
 * in: rows of four words: which function, which block (its number), and two sizes. out: a word a
 * row, the payload's distance from the first break, or from the first payload of all. The address
 * space is not randomized, and no other function is called that may allocate.
 */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { MALLOC, CALLOC, REALLOC, FREE };
enum { MOST = 4096 };

static uint64_t rows[MOST][4], results[MOST];
static char *blocks[MOST];

int main(int argc, char **argv)
{
    size_t got = 0;
    ssize_t part;
    char *base = sbrk(0);
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", argv);
    }
    while ((part = read(0, (char *)rows + got, sizeof rows - got)) > 0)
        got += (size_t)part;
    for (size_t row = 0; row < got / sizeof rows[0]; row++) {
        char **block = &blocks[rows[row][1]];
        size_t one = rows[row][2], other = rows[row][3];
        if (rows[row][0] == MALLOC)
            *block = malloc(one);
        else if (rows[row][0] == CALLOC)
            *block = calloc(one, other);
        else if (rows[row][0] == REALLOC)
            *block = realloc(*block, one);
        else
            free(*block);
        if (argc > 1 && !row)
            base = *block;
        if (rows[row][0] == FREE || !*block)
            *block = NULL;
        else
            memset(*block, 0x5a, rows[row][0] == CALLOC ? one * other : one);
        results[row] = *block ? (uint64_t)(*block - base) : 0;
    }
    for (size_t done = 0, size = got / 4; done < size; done += (size_t)part)
        if ((part = write(1, (char *)results + done, size - done)) < 0)
            return 1;
    return 0;
}
