/* memlib.h, for who does not bring their own: each of these gives way to another of its name.
 *
 * The heap is the program's own break: what lies behind it is not there. It is one piece, so
 * where somebody else has moved the break, there is no more.
 */

#define _DEFAULT_SOURCE
#include "memlib.h"

#include <errno.h>
#include <unistd.h>

#define WEAK __attribute__((weak))

static char *low, *end;

WEAK void mem_init(void)
{
    low = end = sbrk(0);
}

WEAK void mem_deinit(void)
{
}

WEAK void *mem_sbrk(intptr_t increment)
{
    char *old;
    if (!low)
        mem_init();
    old = end;
    if (increment < 0 || sbrk(0) != end || sbrk(increment) == (void *)-1) {
        errno = ENOMEM;
        return (void *)-1;
    }
    end += increment;
    return old;
}

WEAK void mem_reset_brk(void)
{
    if (low && brk(low) == 0)
        end = low;
}

WEAK void *mem_heap_lo(void)
{
    if (!low)
        mem_init();
    return low;
}

WEAK void *mem_heap_hi(void)
{
    return (char *)mem_heap_lo() + (end - low) - 1;
}

WEAK size_t mem_heapsize(void)
{
    return (size_t)(end - low);
}

WEAK size_t mem_pagesize(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}
