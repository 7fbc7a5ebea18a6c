/* The malloc lab's model of the memory system (memlib.c), over this process's own break. */

#ifndef MEMLIB_H
#define MEMLIB_H

#include <stddef.h>
#include <stdint.h>

void mem_init(void);
void mem_deinit(void);
void *mem_sbrk(intptr_t increment); /* the old break; (void *)-1 and ENOMEM where it fails */
void mem_reset_brk(void);
void *mem_heap_lo(void); /* the heap's first byte */
void *mem_heap_hi(void); /* its last byte */
size_t mem_heapsize(void);
size_t mem_pagesize(void);

#endif
