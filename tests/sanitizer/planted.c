/* Errors, one a mode, each on a line that says so; and clean programs, which do what may look like
   one. PREFIX: whose functions: nothing for the C library's, os_ for osmem. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef OSMEM
void *os_malloc(size_t), *os_calloc(size_t, size_t), *os_realloc(void *, size_t);
void os_free(void *);
#define malloc os_malloc
#define calloc os_calloc
#define realloc os_realloc
#define free os_free
#endif

struct padded { char letter; long number; unsigned low : 3, high : 5; };
volatile int sink;
static void *kept;

static char *bytes(size_t size)
{
    return malloc(size); /* bytes */
}

static void overflow(void)
{
    char *p = bytes(24);
    for (int i = 0; i <= 24; i++)
        p[i] = 1; /* overflow */
    free(p);
}

static void underflow(void)
{
    char *p = bytes(24);
    p[-1] = 1; /* underflow */
    free(p);
}

static void header(void)
{
    long *p = (long *)bytes(24);
    if (p[-2] == 3) /* header */
        sink = 1;
    free(p);
}

static void read_past(void)
{
    int *p = calloc(5, sizeof *p);
    sink = p[5]; /* read_past */
    free(p);
}

static void across(void)
{
    char *p = calloc(1, 21);
    sink = *(int *)(p + 19); /* across */
    free(p);
}

static void mapped(void)
{
    char *p = calloc(1, 1000001);
    p[1000001] = 1; /* mapped */
    free(p);
}

static void read_freed(void)
{
    int *p = calloc(5, sizeof *p);
    free(p); /* freed */
    sink = p[3]; /* read_freed */
}

static void write_freed(void)
{
    char *p = bytes(24);
    free(p);
    p[23] = 1; /* write_freed */
}

static void moved(void)
{
    char *p = bytes(24), *barrier = bytes(24);
    char *q = realloc(p, 5000);
    sink = p[20]; /* moved */
    free(q);
    free(barrier);
}

static void shrunk(void)
{
    char *p = realloc(bytes(100), 60);
    p[60] = 1; /* shrunk */
    free(p);
}

static void grown(void)
{
    char *p = bytes(100);
    memset(p, 1, 100);
    p = realloc(p, 2000);
    if (p[99] == 1 && p[100] == 1) /* grown */
        sink = 1;
    free(p);
}

static void double_free(void)
{
    char *p = bytes(24);
    free(p);
    free(p); /* double_free */
}

static void unwritten(void)
{
    int *p = (int *)bytes(24);
    p[0] = p[1] = 0;
    if (p[2] == 7) /* unwritten */
        sink = 1;
    free(p);
}

static void leak(void)
{
    kept = bytes(32);
    kept = malloc(48); /* reachable */
}

static void strings(void)
{
    char *p = bytes(10);
    strcpy(p, "ten bytes!"); /* strings */
    free(p);
}

static void cleared(void)
{
    char *p = bytes(100);
    memset(p, 0, 101); /* cleared */
    free(p);
}

static void copied(void)
{
    char *p = bytes(100), *q = bytes(99);
    memset(p, 1, 100);
    memcpy(q, p, 100); /* copied */
    free(p);
    free(q);
}

/* What is right. */

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int text(void)
{
    static const char words[] = "a heap of words that grows and grows";
    int length = 0;
    for (size_t size = 1; size < sizeof words; size++) {
        char *p = bytes(size + 1);
        memcpy(p, words, size);
        p[size] = 0;
        char *q = bytes(strlen(p) + 1);
        strcpy(q, p);
        length += strlen(q) + (strchr(q, 'g') != NULL) + strcmp(p, q) + (int)strnlen(p, 5);
        length += memchr(p, 'w', size) != NULL;
        free(p);
        free(q);
    }
    return length;
}

static int structures(void)
{
    int sum = 0;
    for (int i = 0; i < 50; i++) {
        struct padded *p = malloc(sizeof *p), *q = malloc(3 * sizeof *q);
        p->letter = 'a';
        p->number = i;
        p->low = 1;
        p->high = i;
        q[1] = *p;
        q[2] = q[1];
        q = realloc(q, 40 * sizeof *q);
        sum += q[2].letter + q[2].high + q[1].low + (int)q[2].number;
        free(p);
        free(q);
    }
    return sum;
}

static int sorted(void)
{
    int *p = malloc(200 * sizeof *p), sum = 0;
    for (int i = 0; i < 100; i++)
        p[i] = 77 * i % 101;
    qsort(p, 100, sizeof *p, by_number);
    p = realloc(p, 100 * sizeof *p);
    for (int i = 0; i < 100; i++)
        sum = 31 * sum + p[i];
    free(p);
    double *d = calloc(1000, sizeof *d);
    for (int i = 1; i < 1000; i++)
        d[i] = d[i - 1] + i;
    sum += (int)d[999];
    free(d);
    return sum;
}

static int large(void)
{
    int sum = 0;
    for (size_t size = 100000; size < 400000; size += 50000) {
        char *p = malloc(size);
        memset(p, 3, size);
        p = realloc(p, 2 * size);
        sum += p[size - 1];
        p[2 * size - 1] = 4;
        sum += p[2 * size - 1];
        free(p);
    }
    free(NULL);
    free(realloc(NULL, 10));
    return sum;
}

static void clean(void)
{
    char shown[40];
    int length = snprintf(shown, sizeof shown, "%d %d %d %d\n", text(), structures(), sorted(),
                          large());
    fwrite(shown, 1, length, stderr);
}

#define MODE(name) {#name, name}
static const struct { const char *name; void (*run)(void); } modes[] = {
    MODE(overflow), MODE(underflow), MODE(header), MODE(read_past), MODE(across), MODE(mapped),
    MODE(read_freed), MODE(write_freed), MODE(moved), MODE(shrunk), MODE(grown),
    MODE(double_free), MODE(unwritten), MODE(leak), MODE(strings), MODE(cleared), MODE(copied),
    MODE(clean),
};

int main(int argc, char **argv)
{
    while (*++argv)
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
            if (!strcmp(*argv, modes[i].name))
                modes[i].run(); /* main */
    return 0;
}
