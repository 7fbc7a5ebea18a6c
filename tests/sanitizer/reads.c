/* Bad reads that the C library's functions make for the program, one a mode, each on a line that
   says so; and clean ones. Memory is mapped of which nothing but the blocks is known. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char buffer[600];
static volatile long sink;
static char *four, *forty, *lost;

static void copy_past(void) { memcpy(buffer, four + 2, 4); } /* copy_past */
static void copy_more(void) { memcpy(buffer, forty, 48); } /* copy_more */
static void copy_behind(void) { memmove(buffer, forty + 44, 4); } /* copy_behind */
static void unended(void) { sink = strlen(four); } /* unended */
static void put(void) { puts(four); } /* put */
static void doubled(void) { free(strdup(four)); } /* doubled */
static void sought(void) { sink = strchr(four, 'z') != NULL; } /* sought */
static void counted(void) { sink = strnlen(four, 9); } /* counted */
static void found(void) { sink = memchr(four, 'z', 6) != NULL; } /* found */
static void appended(void) { strcat(strcpy(buffer, "a"), four); } /* appended */
static void spanned(void) { sink = strspn(four, "y"); } /* spanned */
static void unspanned(void) { sink = strcspn(four, "abc"); } /* unspanned */
static void alike(void) { sink = strncasecmp(four, "YYYYYY", 6); } /* alike */
static void freed_copy(void) { memcpy(buffer, lost, 40); } /* freed_copy */
static void freed_length(void) { sink = strlen(lost + 20); } /* freed_length */
static void freed_put(void) { puts(lost + 20); } /* freed_put */
static void freed_print(void) { printf("%s\n", lost + 20); } /* freed_print */
static void freed_number(void) { sink = strtol(lost + 20, NULL, 36); } /* freed_number */
static void freed_compare(void) { sink = memcmp(lost, forty, 40); } /* freed_compare */

static void compared(void)
{
    char *p = malloc(24);
    if (memcmp(p, forty, 24)) /* compared */
        sink = 1;
    free(p);
}

static void ordered(void)
{
    char *p = malloc(8);
    if (!strcmp(p, "abc")) /* ordered */
        sink = 1;
    free(p);
}

/* What is right: up to the last byte, at each distance from an aligned address. */

static void clean(void)
{
    for (size_t size = 1; size < 180; size += 1 + size / 12) {
        char *p = malloc(size), *q = malloc(size);
        memset(p, 'a', size);
        p[size - 1] = 0;
        memcpy(q, p, size);
        for (size_t from = 0; from < size; from++) {
            char *s = p + from;
            sink += strlen(s) + (strchr(s, 'z') == s) + strcmp(s, q + from) + (long)strnlen(s, 300);
            sink += memcmp(s, q + from, size - from) + strncmp(s, "aaab", 900) + strspn(s, "a");
            sink += strcasecmp(s, "AAAAAAAAAAAAAAAA") + strcspn(s, "xyz") + (strrchr(s, 'a') == s);
            sink += memchr(s, 0, 1000) != NULL;
            strcpy(q + from, s);
            memmove(q, s, size - from);
            memcpy(q, p, size);
        }
        sink += strlen(p);
        free(p);
        free(q);
    }
    char *p = malloc(8);
    memset(p, 'b', 8);
    sink += memcmp(p, "bbbbbbbbb", 8) + strncmp(p, "bbbbbbbbb", 8) + (long)strnlen(p, 8);
    strncpy(buffer, p, 8);
    printf("%.8s\n", p);
    fwrite(p, 1, 8, stdout);
    free(p);
}

#define MODE(name) {#name, name}
static const struct { const char *name; void (*run)(void); } modes[] = {
    MODE(copy_past), MODE(copy_more), MODE(copy_behind), MODE(unended), MODE(put), MODE(doubled),
    MODE(sought), MODE(counted), MODE(found), MODE(appended), MODE(spanned), MODE(unspanned),
    MODE(alike), MODE(freed_copy), MODE(freed_length), MODE(freed_put), MODE(freed_print),
    MODE(freed_compare), MODE(freed_number), MODE(compared), MODE(ordered), MODE(clean),
};

int main(int argc, char **argv)
{
    while (*++argv)
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
            if (!strcmp(*argv, modes[i].name)) {
                four = memset(malloc(4), 'y', 4);
                forty = memset(calloc(1, 40), 'x', 39);
                lost = memset(calloc(1, 40), 'x', 39);
                free(lost);
                modes[i].run();
                free(four);
                free(forty);
            }
    return 0;
}
