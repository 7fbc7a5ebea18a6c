/* The program's own malloc, as its libc calls it too; it prints, and keeps nothing of a libc's. */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t *sizes_of(void *payload)
{
    return (size_t *)payload - 2;
}

void *malloc(size_t size)
{
    size_t *block = sbrk((intptr_t)((size + 31) & ~(size_t)15));
    if (block == (void *)-1) {
        errno = ENOMEM;
        return NULL;
    }
    block[0] = size;
    printf("malloc(%zu)\n", size);
    return block + 2;
}

void free(void *payload)
{
    printf("free of %zu\n", payload ? *sizes_of(payload) : 0);
}

void *calloc(size_t count, size_t size)
{
    void *payload = malloc(count * size);
    return payload ? memset(payload, 0, count * size) : NULL;
}

void *realloc(void *payload, size_t size)
{
    void *other = malloc(size);
    size_t old = payload ? *sizes_of(payload) : 0;
    return other && payload ? memcpy(other, payload, old < size ? old : size) : other;
}
