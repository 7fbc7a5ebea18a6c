/* Makes the calls of a script, and says how many page faults Linux counted in each.
 *
 *     m SIZE | c COUNT SIZE | r CALL SIZE | f CALL     a call by its number, from 0
 *
 * Nothing else touches a page for the first time meanwhile: code, variables and stack are there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "osmem.h"

#define CALLS 4096

static char input[1 << 18];
static char output[1 << 16];
static void *given[CALLS];
static struct rusage before, after;

int main(void)
{
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    ssize_t part, all = 0; /* a pipe gives what it has, which may be a part */
    while ((part = read(0, input + all, sizeof input - 1 - all)) > 0)
        all += part;
    if (part < 0 || all == sizeof input - 1)
        return 1;
    if (mlockall(MCL_CURRENT)) /* the program's own pages are there from now on */
        return 2;
    size_t written = 0, number = 0;
    for (char *line = input; *line; number++) {
        char *rest = line + 2;
        uint64_t a = strtoull(rest, &rest, 10), b = strtoull(rest, &rest, 10);
        void *got = NULL;
        getrusage(RUSAGE_SELF, &before);
        if (*line == 'm')
            got = os_malloc(a);
        else if (*line == 'c')
            got = os_calloc(a, b);
        else if (*line == 'r')
            got = os_realloc(given[a], b);
        else
            os_free(given[a]);
        getrusage(RUSAGE_SELF, &after);
        given[number] = got;
        written += snprintf(output + written, sizeof output - written, "%ld\n",
                            after.ru_minflt - before.ru_minflt);
        line = rest + 1;
    }
    return write(1, output, written) < 0;
}
