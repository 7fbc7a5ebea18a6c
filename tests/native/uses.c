/* A program that uses osmem.h alone: 0 where all is as the header says. */
#include "osmem.h"

static int is(const char *payload, char byte, int size) {
    while (size--)
        if (payload[size] != byte)
            return 0;
    return 1;
}

static void fill(char *payload, char byte, int size) {
    while (size--)
        payload[size] = byte;
}

int work(void) {
    char *a = (char *)os_malloc(100), *b = (char *)os_calloc(10, 20), *c;
    if (!a || !b || !is(b, 0, 200) || os_errno)
        return 1;
    fill(a, 1, 100);
    c = (char *)os_realloc(a, 200000);
    if (!c || c == a || !is(c, 1, 100))
        return 2;
    os_free(c);
    os_free(b);
    os_free(NULL);
    if (os_malloc(50) != a || os_malloc((size_t)-1) || os_errno != 12)
        return 3;
    return os_malloc(0) || os_realloc(a, 0);
}

int main(void) { return work(); }
