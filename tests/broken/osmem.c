/* osmem in C: the contract of asm/osmem, written a second time.
 *
 * A block is a header and its payload. The heap is tiled with blocks, in a list in address order;
 * a block that is mapped lives alone in a mapping of its own, in no list.
 *
 *     heap start                                                     break
 *       | header | payload | header | payload | ... | header | payload |
 */

#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FREE, ALLOC, MAPPED };

struct block_meta {
    size_t size; /* of the payload, a multiple of 8 */
    int status;
    struct block_meta *prev, *next;
};

#define META sizeof(struct block_meta)
#define THRESHOLD ((size_t)128 << 10) /* malloc and realloc: from here on, header counted, mmap */
#define PAGE ((size_t)4096)           /* calloc: the same */
#define PREALLOC ((size_t)128 << 10)
#define SPLIT_MIN (META + 8)
#define MAX_REQUEST ((size_t)PTRDIFF_MAX - PAGE)

#define READ_WRITE 3
#define PRIVATE_ANONYMOUS 0x22
#define OUT_OF_MEMORY 12 /* ENOMEM */

int os_errno;

static struct block_meta *head, *tail;
static uintptr_t heap_break; /* the break that was set last, 0 while it is unknown */

/* Sizes and places */

static size_t align8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static struct block_meta *block_of(void *payload)
{
    return (struct block_meta *)((char *)payload - META);
}

static void *payload_of(struct block_meta *block)
{
    return (char *)block + META;
}

static void *out_of_memory(void)
{
    os_errno = OUT_OF_MEMORY;
    return NULL;
}

static void copy_bytes(char *to, const char *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i];
}

static void clear_bytes(char *start, size_t size)
{
    for (size_t i = 0; i < size; i++)
        start[i] = 0;
}

/* More memory */

/* The old break; NULL where the kernel says no, and nothing has changed then. */
static void *grow(size_t more)
{
    if (!heap_break)
        heap_break = (uintptr_t)syscall(SYS_brk, 0);
    uintptr_t old = heap_break, wanted;
    if (__builtin_add_overflow(old, more, &wanted))
        return out_of_memory();
    if ((uintptr_t)syscall(SYS_brk, wanted) != wanted)
        return out_of_memory();
    heap_break = wanted;
    return (void *)old;
}

static void *map_block(size_t size)
{
    size = align8(size);
    long place = syscall(SYS_mmap, 0L, size + META, READ_WRITE, PRIVATE_ANONYMOUS, -1L, 0L);
    if (place == -1)
        return out_of_memory();
    struct block_meta *block = (struct block_meta *)place;
    block->size = size;
    block->status = MAPPED;
    return payload_of(block);
}

static void unmap_block(struct block_meta *block)
{
    syscall(SYS_munmap, block, block->size + META);
}

/* Verbs on blocks */

static void append_block(struct block_meta *block, size_t size, int status)
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

static void set_back_pointer(struct block_meta *block)
{
    if (block->next)
        block->next->prev = block;
    else
        tail = block;
}

/* What a block has beyond `need` becomes a free block behind it, if that is enough for one. */
static void split_block(struct block_meta *block, size_t need)
{
    size_t left = block->size - need;
    if (left < SPLIT_MIN)
        return;
    struct block_meta *rest = (struct block_meta *)((char *)payload_of(block) + need);
    rest->size = left - META;
    rest->status = FREE;
    rest->prev = block;
    rest->next = block->next;
    set_back_pointer(rest);
    block->next = rest;
    block->size = need;
}

static void absorb_next(struct block_meta *block)
{
    block->size += META + block->next->size;
    block->next = block->next->next;
    set_back_pointer(block);
}

static int free_behind(struct block_meta *block)
{
    return block->next && block->next->status == FREE;
}

/* Verbs on the list */

static void merge_free_runs(void)
{
    for (struct block_meta *block = head; block; block = block->next)
        while (block->status == FREE && free_behind(block))
            absorb_next(block);
}

static struct block_meta *find_best(size_t need)
{
    struct block_meta *best = NULL;
    for (struct block_meta *block = head; block; block = block->next)
        if (block->status == FREE && block->size >= need)
            if (!best || block->size < best->size)
                best = block;
    return best;
}

/* The last block, made as long as that; NULL where the heap cannot grow. */
static struct block_meta *grow_tail(size_t need)
{
    if (!grow(need - tail->size))
        return NULL;
    tail->size = need;
    return tail;
}

static struct block_meta *new_tail(size_t need)
{
    struct block_meta *block = grow(META + need);
    if (block)
        append_block(block, need, ALLOC);
    return block;
}

static int begin_heap(void)
{
    struct block_meta *first = grow(PREALLOC);
    if (!first)
        return 0;
    append_block(first, PREALLOC - META, FREE);
    return 1;
}

/* The allocator */

static void *heap_alloc(size_t need)
{
    if (!head && !begin_heap())
        return NULL;
    merge_free_runs();
    struct block_meta *block = find_best(need);
    if (block)
        split_block(block, need);
    else
        block = tail->status == FREE ? grow_tail(need) : new_tail(need);
    if (!block)
        return NULL;
    block->status = ALLOC;
    return payload_of(block);
}

static void *alloc(size_t size, size_t threshold)
{
    if (!size)
        return NULL;
    if (size > MAX_REQUEST)
        return out_of_memory();
    if (size + META >= threshold)
        return map_block(size);
    return heap_alloc(align8(size));
}

void *os_malloc(size_t size)
{
    return alloc(size, THRESHOLD);
}

void *os_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return out_of_memory();
    char *payload = alloc(bytes, PAGE);
    if (payload)
        clear_bytes(payload, bytes);
    return payload;
}

void os_free(void *payload)
{
    if (!payload)
        return;
    struct block_meta *block = block_of(payload);
    if (block->status == MAPPED)
        unmap_block(block);
    else
        block->status = FREE;
}

/* filled: bytes of the block that the caller has filled; not those it has just absorbed. */
static void *move_block(struct block_meta *block, size_t size, size_t filled)
{
    char *moved = os_malloc(size);
    if (!moved)
        return NULL;
    copy_bytes(moved, payload_of(block), filled < size ? filled : size);
    os_free(payload_of(block));
    return moved;
}

static void *resize_in_heap(struct block_meta *block, size_t size)
{
    size_t need = align8(size), filled = block->size;
    if (need > filled && block == tail) {
        block = grow_tail(need);
        return block ? payload_of(block) : NULL;
    }
    while (block->size < need && free_behind(block))
        absorb_next(block);
    if (block->size < need)
        return move_block(block, size, filled);
    split_block(block, need);
    return payload_of(block);
}

void *os_realloc(void *payload, size_t size)
{
    if (!payload)
        return os_malloc(size);
    if (!size) {
        os_free(payload);
        return NULL;
    }
    struct block_meta *block = block_of(payload);
    if (block->status == FREE)
        return NULL;
    if (size > MAX_REQUEST)
        return out_of_memory();
    if (block->status == MAPPED || size + META >= THRESHOLD)
        return move_block(block, size, block->size);
    return resize_in_heap(block, size);
}
