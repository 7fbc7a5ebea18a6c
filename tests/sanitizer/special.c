/* What allocators and programs do that is out of the common: one thing a mode, with one error. */

#define _GNU_SOURCE
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An allocator in an array, that may not come back. */

static char arena[1 << 16];
static size_t used;
static jmp_buf way_out;

void *my_malloc(size_t size)
{
    if (size == 77)
        longjmp(way_out, 1);
    used += (size + 31) & ~15;
    return arena + used - ((size + 15) & ~15);
}

void *my_realloc(void *old, size_t size)
{
    void *new = my_malloc(size);
    memcpy(new, old, 8);
    return new;
}

void *my_calloc(size_t count, size_t size)
{
    return memset(my_malloc(count * size), 0, count * size);
}

void my_free(void *payload)
{
    (void)payload;
}

volatile int sink;

static void in_array(void)
{
    char *p = my_malloc(10);
    p[10] = 1; /* in_array */
    my_free(p);
}

static void jumped(void)
{
    char *p = my_malloc(10);
    if (!setjmp(way_out))
        my_realloc(p, 77);
    p[9] = 1;
    char *q = my_malloc(5);
    q[4] = p[9];
    q[5] = 1; /* jumped */
}

static void aligned(void)
{
    void *p;
    if (posix_memalign(&p, 64, 100))
        return;
    memset(p, 1, 100);
    char *q = aligned_alloc(256, 256);
    memset(q, 1, 256);
    char *r = memalign(32, 50);
    r[50] = 1; /* aligned */
}

static void measured(void)
{
    char *p = malloc(13);
    size_t size = malloc_usable_size(p);
    p[size - 1] = 1;
    sink = p[size - 1];
    p[size] = 1; /* measured */
}

static void received(void)
{
    int ends[2];
    char *p = malloc(15);
    sink = pipe(ends) + write(ends[1], "0123456789abcdef", 16);
    sink = read(ends[0], p, 16); /* received */
    sink = p[14];
}

static void sent(void)
{
    int ends[2];
    char *p = malloc(15);
    memset(p, 1, 14);
    sink = pipe(ends) + write(ends[1], p, 14);
    sink = write(ends[1], p, 15); /* sent */
}

static void endless(void)
{
    char *p = malloc(16);
    memset(p, 'a', 16);
    sink = strlen(p); /* endless */
}

static void handler(int number)
{
    char *p = malloc(10);
    p[9] = number;
    free(p);
}

static void handled(void)
{
    signal(SIGALRM, handler);
    for (int i = 0; i < 100; i++) {
        char *p = malloc(i + 1);
        p[i] = 1;
        raise(SIGALRM);
        sink = p[i];
        free(p);
    }
    char *p = malloc(3);
    p[3] = 1; /* handled */
}

static void gone(void)
{
    char *p = malloc(1000000);
    free(p);
    p[5] = 1; /* gone */
}

static void in_place(void)
{
    free((char *)malloc(40) + 8); /* in_place */
}

#define MODE(name) {#name, name}
static const struct { const char *name; void (*run)(void); } modes[] = {
    MODE(in_array), MODE(jumped), MODE(aligned), MODE(measured), MODE(received), MODE(sent),
    MODE(endless), MODE(handled), MODE(gone), MODE(in_place),
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (argc > 1 && !strcmp(argv[1], modes[i].name))
            modes[i].run();
    return 0;
}
