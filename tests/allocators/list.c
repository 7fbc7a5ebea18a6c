/* osmem's interface and header over sbrk: a list, first fit, nothing merged. */

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "list.h"

static struct block_meta *first, *last;

static struct block_meta *grown(size_t size)
{
    struct block_meta *block = sbrk((intptr_t)(size + sizeof *block));
    if (block == (void *)-1)
        return NULL;
    *block = (struct block_meta){size, ALLOC, last, NULL};
    if (last)
        last->next = block;
    else
        first = block;
    return last = block;
}

void *os_malloc(size_t size)
{
    struct block_meta *block;
    if (!size)
        return NULL;
    size = (size + 7) & ~(size_t)7;
    for (block = first; block; block = block->next)
        if (block->status == FREE && block->size >= size)
            break;
    if (!block && !(block = grown(size)))
        return NULL;
    block->status = ALLOC;
    return block + 1;
}

void os_free(void *payload)
{
    if (payload)
        ((struct block_meta *)payload - 1)->status = FREE;
}

void *os_calloc(size_t count, size_t size)
{
    void *payload = os_malloc(count * size);
    return payload ? memset(payload, 0, count * size) : NULL;
}

void *os_realloc(void *payload, size_t size)
{
    struct block_meta *block = (struct block_meta *)payload - 1;
    void *other;
    if (!payload || block->size < size) {
        other = os_malloc(size);
        if (payload && other)
            memcpy(other, payload, block->size);
        if (other)
            os_free(payload);
        return other;
    }
    if (size)
        return payload;
    os_free(payload);
    return NULL;
}
