#include <stddef.h>

enum { FREE, ALLOC };

struct block_meta {
    size_t size;
    int status;
    struct block_meta *prev, *next;
};
