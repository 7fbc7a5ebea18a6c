/* osmem.h, made by `emu build` from @source@.
 *
 * An allocator that asks Linux for memory by itself, with brk, mmap and munmap; it needs no C
 * library. It promises less than malloc does:
 *
 *   - One thread at a time: nothing is locked.
 *   - The address of a payload is a multiple of 8, and not of 16: long double and SSE vectors
 *     want more.
 *   - The break belongs to it: the heap grows from the break that it set last, wherever the break
 *     is by now. Whoever else moves it (sbrk; the C library's malloc, which printf and fopen use
 *     too) loses memory to this allocator or destroys its blocks. So use no other beside it, or
 *     preload a library made by `emu build --as-malloc`, which takes malloc's place everywhere.
 *   - A pointer that it did not return is not recognized. Freeing a block of the heap twice does
 *     nothing, as long as its memory has not been handed out again.
 */
#ifndef OSMEM_H
#define OSMEM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* At least `size` bytes, of any content. NULL for size 0, and where memory has run out. */
void *os_malloc(size_t size);

/* At least count * size bytes, all of these 0. NULL as above, and where the product overflows. */
void *os_calloc(size_t count, size_t size);

/* The block with room for `size` bytes, and its old contents as far as they fit; it may have moved.
 * payload NULL: as os_malloc. size 0: as os_free, and NULL. NULL where memory has run out: the old
 * block is in use as before. */
void *os_realloc(void *payload, size_t size);

/* The block may be handed out again. NULL: nothing. */
void os_free(void *payload);

@os_errno@
#ifdef __cplusplus
}
#endif

#endif
