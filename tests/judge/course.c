/* An allocator that serves its course's traces, and is broken in four ways.
 *
 * A list of blocks in address order, first fit, on sbrk; large ones are mapped. Built with -DFIXED
 * it is what it was meant to be.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FREE, USED, MAPPED };
#define LARGE (128 * 1024)
#define UP(n) (((n) + 7) & ~(size_t)7)

struct block {
    size_t size;
    long status;
    struct block *before, *behind;
};

static struct block *first, *last;

static void *refused(void) {
#ifndef FIXED
    _exit(1);                               /* 1: the process ends when memory runs out */
#endif
    return NULL;
}

static struct block *mapped(size_t size) {
    struct block *b = mmap(NULL, size + sizeof *b, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED)
        return NULL;
    b->size = size;
    b->status = MAPPED;
    return b;
}

static struct block *grown(size_t size) {
    struct block *b = sbrk(size + sizeof *b);
    if (b == (void *)-1)
        return NULL;
    *b = (struct block){size, USED, last, NULL};
    if (last)
        last->behind = b;
    else
        first = b;
    return last = b;
}

static void split(struct block *b, size_t size) {
    if (b->size < size + sizeof *b + 8)
        return;
    struct block *rest = (void *)((char *)(b + 1) + size);
    *rest = (struct block){b->size - size - sizeof *b, FREE, b, b->behind};
#ifdef FIXED
    if (rest->behind)
        rest->behind->before = rest;        /* 2: the block behind knows nothing of the rest */
#endif
    if (last == b)
        last = rest;
    b->size = size;
    b->behind = rest;
}

static void join(struct block *b) {
    struct block *gone = b->behind;
    b->size += sizeof *b + gone->size;
    b->behind = gone->behind;
    if (b->behind)
        b->behind->before = b;
    if (last == gone)
        last = b;
}

void *course_malloc(size_t size) {
    if (!size)
        return NULL;
    if (size > PTRDIFF_MAX - 4096)
        return refused();
    size = UP(size);
    if (size >= LARGE) {
        struct block *b = mapped(size);
        return b ? b + 1 : refused();
    }
    for (struct block *b = first; b; b = b->behind)
        if (b->status == FREE && b->size >= size) {
            b->status = USED;
            split(b, size);
            return b + 1;
        }
    struct block *b = grown(size);
    return b ? b + 1 : refused();
}

void course_free(void *p) {
    if (!p)
        return;
    struct block *b = (struct block *)p - 1;
    if (b->status == MAPPED) {
        munmap(b, b->size + sizeof *b);
        return;
    }
    b->status = FREE;
    if (b->behind && b->behind->status == FREE)
        join(b);
    if (b->before && b->before->status == FREE)
        join(b->before);
}

void *course_calloc(size_t count, size_t size) {
    size_t all = count * size;              /* 3: the product wraps */
#ifdef FIXED
    if (size && all / size != count)
        return NULL;
#endif
    void *p = course_malloc(all);
    return p ? memset(p, 0, all) : NULL;
}

void *course_realloc(void *p, size_t size) {
    if (!p)
        return course_malloc(size);
    if (!size) {
        course_free(p);
        return NULL;
    }
    struct block *b = (struct block *)p - 1;
    if (b->status == USED && size <= b->size)
        return p;
    void *q = course_malloc(size);
    if (!q)
        return NULL;
#ifdef FIXED
    memcpy(q, p, size < b->size ? size : b->size);
#else
    memcpy(q, p, size);                     /* 4: reads past a mapping */
#endif
    course_free(p);
    return q;
}
