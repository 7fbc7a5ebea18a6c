/* A malloc as many are written: a list of blocks over sbrk, first fit, nothing merged. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct block {
    size_t size;
    struct block *next;
    size_t used, unused;
};

static struct block *first, *last;

static struct block *grown(size_t size)
{
    struct block *block = sbrk(0);
    if ((uintptr_t)block & 15)
        sbrk(16 - ((intptr_t)block & 15));
    block = sbrk((intptr_t)(size + sizeof *block));
    if (block == (void *)-1) {
        errno = ENOMEM;
        return NULL;
    }
    *block = (struct block){.size = size};
    if (last)
        last->next = block;
    else
        first = block;
    return last = block;
}

void *malloc(size_t size)
{
    struct block *block;
    if (size > PTRDIFF_MAX - 4096) {
        errno = ENOMEM;
        return NULL;
    }
    size = size ? (size + 15) & ~(size_t)15 : 16;
    for (block = first; block; block = block->next)
        if (!block->used && block->size >= size)
            break;
    if (!block && !(block = grown(size)))
        return NULL;
    block->used = 1;
    return block + 1;
}

void free(void *payload)
{
    if (payload)
        ((struct block *)payload - 1)->used = 0;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    void *payload;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    payload = malloc(bytes);
    return payload ? memset(payload, 0, bytes) : NULL;
}

void *realloc(void *payload, size_t size)
{
    struct block *block = (struct block *)payload - 1;
    void *moved;
    if (!payload)
        return malloc(size);
    if (!size) {
        free(payload);
        return NULL;
    }
    if (block->size >= size)
        return payload;
    if (!(moved = malloc(size)))
        return NULL;
    memcpy(moved, payload, block->size);
    free(payload);
    return moved;
}
