/* What ordinary programs ask of their C library: text, numbers, sorting, memory, files, time. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

static uint32_t state = 1;
static uint32_t next(void) { return state = state * 1664525 + 1013904223; }

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint64_t mix(uint64_t hash, const void *data, size_t size) {
    for (const unsigned char *p = data; size--; p++)
        hash = (hash ^ *p) * 0x100000001b3;
    return hash;
}

static void numbers(void) {
    printf("%d %+5d %-5d| %05d %x %#o %lld %zu %c %s %.3s %*d %%\n", 42, 7, 7, -42, 0xbeef, 8,
           1LL << 62, sizeof(int), 'q', "text", "truncated", 6, 12);
    printf("%f %.3e %g %g %a %Lf\n", 3.14159265358979, 12345.678, 1e-10, 1e20, 0.1, 2.5L);
    printf("%.17g %.17g %.17g\n", sqrt(2), sin(1) + cos(2) * exp(1.5), pow(1.0001, 10000));
    printf("%.15g %.15g %.15g %d\n", log(10), atan2(1, -2), fmod(1e9, 7), (int)lrint(2.5));
    printf("%ld %ld %.10g %d\n", strtol("-0x7f", NULL, 0), strtol("777", NULL, 8),
           strtod("1.5e300", NULL), atoi("  99 bottles"));
    printf("%f %f %d %d\n", INFINITY, -NAN, isnan(NAN), isinf(-INFINITY));
    long double x = 1;
    for (int i = 1; i < 30; i++)
        x *= i;
    printf("%.0Lf\n", x);
}

static void sorting(void) {
    enum { N = 20000 };
    uint32_t *values = malloc(N * sizeof *values), key;
    for (int i = 0; i < N; i++)
        values[i] = next() >> 8;
    key = values[77];
    qsort(values, N, sizeof *values, by_value);
    for (int i = 1; i < N; i++)
        if (values[i - 1] > values[i])
            puts("not sorted");
    printf("sorted: %016" PRIx64 ", found %d\n", mix(0, values, N * sizeof *values),
           bsearch(&key, values, N, sizeof key, by_value) != NULL);
    free(values);
}

static void memory(void) {
    enum { SLOTS = 500 };
    static unsigned char *blocks[SLOTS];
    static size_t sizes[SLOTS];
    uint64_t hash = 0;
    for (int turn = 0; turn < 20000; turn++) {
        unsigned slot = next() % SLOTS;
        size_t size = 1 + next() % (turn % 100 ? 2000 : 300000);
        if (blocks[slot])
            for (size_t i = 0; i < sizes[slot]; i += 97)
                if (blocks[slot][i] != (unsigned char)(slot + i))
                    puts("overwritten");
        if (next() % 3 == 0) {
            free(blocks[slot]);
            blocks[slot] = NULL;
        } else {
            blocks[slot] = next() % 2 ? realloc(blocks[slot], size)
                                      : (free(blocks[slot]), calloc(size, 1));
            sizes[slot] = size;
            for (size_t i = 0; i < size; i++)
                blocks[slot][i] = slot + i;
            hash = mix(hash, blocks[slot], size);
        }
    }
    printf("malloc: %016" PRIx64 "\n", hash);
    char *pages = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 'x', 1 << 20);
    pages = mremap(pages, 1 << 20, 4 << 20, MREMAP_MAYMOVE);
    printf("mremap: %d %d", pages[12345], pages[3 << 20]);
    madvise(pages, 1 << 20, MADV_DONTNEED);
    printf(" then %d\n", pages[12345]);
    printf("aligned: %d, too much: %p %s\n", (int)((uintptr_t)aligned_alloc(4096, 8192) % 4096),
           malloc(1UL << 62), strerror(errno));
}

static jmp_buf back;
static void leap(int n) {
    if (n == 0)
        longjmp(back, 5);
    leap(n - 1);
}

static void texts(void) {
    char line[100] = "the quick brown fox jumps over the lazy dog", *rest;
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        printf("%s:%zu ", word, strlen(word));
    puts("");
    printf("%s %d %d %s\n", strstr("haystack with needle", "needle"), strcmp("abc", "abd") < 0,
           memcmp("aaa", "aab", 3) < 0, strrchr("a/b/c", '/'));
    wchar_t wide[20];
    printf("%zu %d %d\n", mbstowcs(wide, "wide text", 20), toupper('a'), isdigit('5') != 0);
    int got = setjmp(back);
    if (!got)
        leap(10);
    printf("setjmp: %d\n", got);
}

static void files(const char *path) {
    char line[256];
    int lines = 0, longest = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        printf("no file: %s\n", strerror(errno));
        return;
    }
    uint64_t hash = 0;
    while (fgets(line, sizeof line, file)) {
        int length = strlen(line);
        lines++;
        longest = length > longest ? length : longest;
        hash = mix(hash, line, length);
    }
    printf("lines %d, longest %d, %016" PRIx64 ", at %ld\n", lines, longest, hash, ftell(file));
    rewind(file);
    fseek(file, -10, SEEK_END);
    printf("last: %zu bytes\n", fread(line, 1, sizeof line, file));
    struct stat status;
    fstat(fileno(file), &status);
    char *map = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    printf("size %ld, mapped %016" PRIx64 "\n", (long)status.st_size, mix(0, map, status.st_size));
    fclose(file);
    file = fopen("/no/such/file", "r");
    printf("%d %s\n", file == NULL, strerror(errno));
}

static void at_end(void) { puts("at exit"); }

int main(int argc, char **argv) {
    struct tm *moment;
    time_t long_ago = 86400 * 365;
    setvbuf(stdout, NULL, _IOFBF, 1 << 14);
    setlocale(LC_ALL, "C");
    atexit(at_end);
    printf("%d arguments:", argc - 1);
    for (int i = 1; i < argc; i++)
        printf(" <%s>", argv[i]);
    printf("\nGREETING=%s NOTHING=%s\n", getenv("GREETING"), getenv("NOTHING") ? "set" : "unset");
    numbers();
    sorting();
    memory();
    texts();
    moment = gmtime(&long_ago);
    printf("%04d-%02d-%02d\n", moment->tm_year + 1900, moment->tm_mon + 1, moment->tm_mday);
    files(argc > 1 ? argv[1] : "/etc/services");
    fprintf(stderr, "to the standard error\n");
    int c, count = 0;
    while ((c = getchar()) != EOF)
        count += c == '\n';
    printf("standard input: %d lines\n", count);
    return argc > 2 ? atoi(argv[2]) : 0;
}
