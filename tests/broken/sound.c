/* A small allocator of another kind: a list of free blocks alone, neighbours joined when freed.
 *
 *     block                 payload
 *       | before | size | flags in its low bits | next | prev | ...        in a free one
 *       0        8                              16     24
 *
 * Blocks tile the heap; each knows its own size and that of the block before it. All sizes count
 * the header and are multiples of 16, so every payload is a multiple of 16, too.
 */

#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct block {
    size_t before; /* size of the block before this one, 0 for the first */
    size_t size;   /* and flags */
    struct block *next, *prev;
};

#define HEADER offsetof(struct block, next)
#define SMALLEST sizeof(struct block)
#define IN_USE ((size_t)1)
#define MAPPED ((size_t)2)
#define FLAGS ((size_t)15)
#define MORE ((size_t)64 << 10)  /* the heap grows by so much at least */
#define LARGE ((size_t)256 << 10) /* from here on, a mapping of its own */
#define PAGE ((size_t)4096)

static struct block list = {0, 0, &list, &list}; /* the ring of free blocks */
static char *heap_end;
static struct block *last;

static size_t size_of(struct block *block)
{
    return block->size & ~FLAGS;
}

static struct block *block_of(void *payload)
{
    return (struct block *)((char *)payload - HEADER);
}

static void *payload_of(struct block *block)
{
    return (char *)block + HEADER;
}

static struct block *behind(struct block *block)
{
    return block == last ? NULL : (struct block *)((char *)block + size_of(block));
}

static size_t rounded(size_t size, size_t to)
{
    return (size + to - 1) & ~(to - 1);
}

/* The size of a block for a request that is no more than PTRDIFF_MAX. */
static size_t needed(size_t request)
{
    size_t size = rounded(request + HEADER, 16);
    return size < SMALLEST ? SMALLEST : size;
}

static void copy_bytes(char *to, const char *from, size_t size)
{
    while (size--)
        *to++ = *from++;
}

static void clear_bytes(char *start, size_t size)
{
    while (size--)
        *start++ = 0;
}

/* The ring */

static void link_free(struct block *block)
{
    block->next = list.next;
    block->prev = &list;
    list.next->prev = block;
    list.next = block;
}

static void unlink_free(struct block *block)
{
    block->prev->next = block->next;
    block->next->prev = block->prev;
}

/* Neighbours */

static void set_size(struct block *block, size_t size, size_t flags)
{
    block->size = size | flags;
    struct block *next = behind(block);
    if (next)
        next->before = size;
}

static void absorb_next(struct block *block)
{
    struct block *next = behind(block);
    unlink_free(next);
    if (next == last)
        last = block;
    set_size(block, size_of(block) + size_of(next), block->size & FLAGS);
}

static int free_behind(struct block *block)
{
    struct block *next = behind(block);
    return next && !(next->size & IN_USE);
}

static void release(struct block *block)
{
    block->size &= ~IN_USE;
    link_free(block);
    if (free_behind(block))
        absorb_next(block);
    if (!block->before)
        return;
    struct block *front = (struct block *)((char *)block - block->before);
    if (!(front->size & IN_USE))
        absorb_next(front);
}

/* What a block in use has beyond `size` becomes a free block, if that is enough for one. */
static void trim(struct block *block, size_t size)
{
    size_t left = size_of(block) - size;
    if (left < SMALLEST)
        return;
    struct block *rest = (struct block *)((char *)block + size);
    rest->before = size;
    if (block == last)
        last = rest;
    set_size(rest, left, IN_USE);
    block->size = size | IN_USE;
    release(rest);
}

/* More memory */

/* A block at the end of the heap, in use; NULL where there is no more, or somebody else's. */
static struct block *more(size_t size)
{
    size_t bytes = rounded(size < MORE ? MORE : size, PAGE);
    char *start = sbrk(0);
    size_t skipped = -(uintptr_t)start & 15;
    if ((heap_end && start != heap_end) || sbrk((intptr_t)(bytes + skipped)) != start)
        return NULL;
    struct block *block = (struct block *)(start + skipped);
    block->before = last ? size_of(last) : 0;
    block->size = bytes | IN_USE;
    last = block;
    heap_end = start + skipped + bytes;
    return block;
}

static struct block *find(size_t size)
{
    for (struct block *block = list.next; block != &list; block = block->next)
        if (size_of(block) >= size)
            return block;
    return NULL;
}

static void *map(size_t size)
{
    size = rounded(size, PAGE);
    struct block *block =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    block->size = size | MAPPED | IN_USE;
    return payload_of(block);
}

/* The allocator */

void *malloc(size_t request)
{
    if (request > PTRDIFF_MAX - PAGE)
        return NULL;
    size_t size = needed(request);
    if (size >= LARGE)
        return map(size);
    struct block *block = find(size);
    if (block) {
        unlink_free(block);
        block->size |= IN_USE;
    } else {
        block = more(size);
        if (!block)
            return NULL;
    }
    trim(block, size);
    return payload_of(block);
}

void free(void *payload)
{
    if (!payload)
        return;
    struct block *block = block_of(payload);
    if (block->size & MAPPED)
        munmap(block, size_of(block));
    else
        release(block);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    char *payload = malloc(bytes);
    if (payload)
        clear_bytes(payload, bytes);
    return payload;
}

static void *move(void *payload, size_t request)
{
    size_t room = size_of(block_of(payload)) - HEADER;
    char *moved = malloc(request);
    if (!moved)
        return NULL;
    copy_bytes(moved, payload, room < request ? room : request);
    free(payload);
    return moved;
}

void *realloc(void *payload, size_t request)
{
    if (!payload)
        return malloc(request);
    if (!request) {
        free(payload);
        return NULL;
    }
    if (request > PTRDIFF_MAX - PAGE)
        return NULL;
    struct block *block = block_of(payload);
    size_t size = needed(request);
    if (block->size & MAPPED || size >= LARGE)
        return move(payload, request);
    if (size > size_of(block) && free_behind(block))
        absorb_next(block);
    if (size > size_of(block))
        return move(payload, request);
    trim(block, size);
    return payload;
}
