/* A mapping a block, and its own main; what it lacks is said to be lacking. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

void *my_malloc(size_t size)
{
    size_t *block = mmap(NULL, size + 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    *block = size;
    return block + 2;
}

void my_free(void *payload)
{
    size_t *block = (size_t *)payload - 2;
    if (payload)
        munmap(block, *block + 16);
}

int main(void)
{
    puts("main runs");
    abort();
}
