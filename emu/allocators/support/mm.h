/* The malloc lab's interface of an allocator. */

#ifndef MM_H
#define MM_H

#include <stddef.h>

extern int mm_init(void); /* 0, or -1 where it fails */
extern void *mm_malloc(size_t size);
extern void mm_free(void *payload);
extern void *mm_realloc(void *payload, size_t size);
extern void *mm_calloc(size_t count, size_t size);

typedef struct {
    char *teamname;
    char *name1;
    char *id1;
    char *name2;
    char *id2;
} team_t;

extern team_t team;

#endif
