/* Words counted in a tree: blocks that are allocated, and read much more often. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node { struct node *left, *right; int count; char word[12]; };

static unsigned state = 1;

static unsigned next(void)
{
    state = state * 1103515245u + 12345u;
    return state >> 16;
}

static struct node **find(struct node **at, const char *word)
{
    while (*at) {
        int order = strcmp(word, (*at)->word);
        if (!order)
            break;
        at = order < 0 ? &(*at)->left : &(*at)->right;
    }
    return at;
}

int main(int argc, char **argv)
{
    struct node *root = NULL;
    int turns = argc > 1 ? atoi(argv[1]) : 1000, total = 0;
    for (int i = 0; i < turns; i++) {
        char word[12];
        sprintf(word, "w%u", next() % 1000);
        struct node **at = find(&root, word);
        if (!*at) {
            *at = calloc(1, sizeof **at);
            strcpy((*at)->word, word);
        }
        total += ++(*at)->count;
    }
    printf("%d\n", total);
    return 0;
}
