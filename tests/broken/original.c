/* An allocator as it comes out of a course: it gives the answers that the course's traces ask for,
 * and is broken in four ways.
 *
 *     split      the block behind the new one still takes the old one for the one before it
 *     move       copies as many bytes as the new block has
 *     calloc     multiplies and hopes
 *     DIE        ends the process where memory runs out
 *
 * Free blocks are merged by both pointers; so the first makes live blocks overlap, later on.
 */

#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FREE, ALLOC, MAPPED };

struct block_meta {
    size_t size;
    int status;
    struct block_meta *prev;
    struct block_meta *next;
};

#define META sizeof(struct block_meta)
#define MMAP_THRESHOLD (128 * 1024)
#define CALLOC_THRESHOLD 4096
#define LARGEST ((size_t)PTRDIFF_MAX - 4096)
#define ALIGN(size) (((size) + 7) & ~(size_t)7)
#define PAYLOAD(block) ((void *)((block) + 1))
#define DIE(failed)                                                                                \
    do {                                                                                           \
        if (failed)                                                                                \
            _exit(1);                                                                              \
    } while (0)

static struct block_meta *head, *tail;
static char *end;

static struct block_meta *extend(size_t bytes)
{
    if (!end)
        end = (char *)syscall(SYS_brk, 0);
    char *start = end;
    DIE((char *)syscall(SYS_brk, start + bytes) != start + bytes);
    end += bytes;
    return (struct block_meta *)start;
}

static void append(struct block_meta *block, size_t size, int status)
{
    block->size = size;
    block->status = status;
    block->prev = tail;
    block->next = NULL;
    if (tail)
        tail->next = block;
    else
        head = block;
    tail = block;
}

static void split(struct block_meta *block, size_t size)
{
    if (block->size < size + META + 8)
        return;
    struct block_meta *rest = (struct block_meta *)((char *)PAYLOAD(block) + size);
    rest->size = block->size - size - META;
    rest->status = FREE;
    rest->prev = block;
    rest->next = block->next;
    block->next = rest;
    block->size = size;
    if (tail == block)
        tail = rest;
}

static void absorb(struct block_meta *block, struct block_meta *next)
{
    block->size += META + next->size;
    block->next = next->next;
    if (next->next)
        next->next->prev = block;
    else
        tail = block;
}

static int both_free(struct block_meta *block, struct block_meta *next)
{
    return block && next && block->status == FREE && next->status == FREE;
}

static void coalesce(void)
{
    for (struct block_meta *block = head; block; block = block->next) {
        while (both_free(block, block->next))
            absorb(block, block->next);
        if (both_free(block->prev, block))
            absorb(block->prev, block);
    }
}

static struct block_meta *best_fit(size_t size)
{
    struct block_meta *best = NULL;
    for (struct block_meta *block = head; block; block = block->next)
        if (block->status == FREE && block->size >= size && (!best || block->size < best->size))
            best = block;
    return best;
}

static void *map(size_t size)
{
    long place = syscall(SYS_mmap, 0L, ALIGN(size) + META, 3L, 0x22L, -1L, 0L);
    DIE(place == -1);
    struct block_meta *block = (struct block_meta *)place;
    block->size = ALIGN(size);
    block->status = MAPPED;
    return PAYLOAD(block);
}

static void *take(size_t size)
{
    struct block_meta *block;
    if (!head)
        append(extend(MMAP_THRESHOLD), MMAP_THRESHOLD - META, FREE);
    coalesce();
    block = best_fit(size);
    if (block) {
        split(block, size);
    } else if (tail->status == FREE) {
        block = tail;
        extend(size - block->size);
        block->size = size;
    } else {
        block = extend(META + size);
        append(block, size, ALLOC);
    }
    block->status = ALLOC;
    return PAYLOAD(block);
}

static void *allocate(size_t size, size_t threshold)
{
    DIE(size > LARGEST);
    if (size == 0)
        return NULL;
    if (size + META >= threshold)
        return map(size);
    return take(ALIGN(size));
}

void *os_malloc(size_t size)
{
    return allocate(size, MMAP_THRESHOLD);
}

void os_free(void *ptr)
{
    if (!ptr)
        return;
    struct block_meta *block = (struct block_meta *)ptr - 1;
    if (block->status == MAPPED)
        syscall(SYS_munmap, block, block->size + META);
    else
        block->status = FREE;
}

void *os_calloc(size_t nmemb, size_t size)
{
    size_t total = nmemb * size;
    void *ptr = allocate(total, CALLOC_THRESHOLD);
    return ptr ? memset(ptr, 0, total) : NULL;
}

static void *move(struct block_meta *block, size_t size)
{
    void *new = os_malloc(size);
    memcpy(new, PAYLOAD(block), size);
    os_free(PAYLOAD(block));
    return new;
}

void *os_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return os_malloc(size);
    if (size == 0) {
        os_free(ptr);
        return NULL;
    }
    DIE(size > LARGEST);
    struct block_meta *block = (struct block_meta *)ptr - 1;
    size_t need = ALIGN(size);
    if (block->status == FREE)
        return NULL;
    if (block->status == MAPPED || size + META >= MMAP_THRESHOLD)
        return move(block, size);
    if (block->size < need && block == tail) {
        extend(need - block->size);
        block->size = need;
        return ptr;
    }
    while (block->size < need && block->next && block->next->status == FREE)
        absorb(block, block->next);
    if (block->size < need)
        return move(block, size);
    split(block, need);
    return ptr;
}
