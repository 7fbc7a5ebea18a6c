/* What compute-bound programs do: sorting, bits, a sieve, matrices, copies. Prints a checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 96, WORDS = 1 << 12 };

static uint32_t random_number(void)
{
    static uint32_t state = 1;
    return state = state * 1664525 + 1013904223;
}

static int by_value(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static uint32_t sorted(int count)
{
    uint32_t *numbers = malloc(count * sizeof *numbers), sum = 0;
    for (int i = 0; i < count; i++)
        numbers[i] = random_number();
    qsort(numbers, count, sizeof *numbers, by_value);
    for (int i = 0; i < count; i += 97)
        sum = sum * 31 + numbers[i];
    free(numbers);
    return sum;
}

static uint32_t bits(int count)
{
    uint32_t sum = ~0u;
    for (int i = 0; i < count; i++) {
        sum ^= random_number();
        for (int bit = 0; bit < 8; bit++)
            sum = (sum >> 1) ^ (0xEDB88320 & -(sum & 1));
    }
    return sum;
}

static uint32_t primes(int count)
{
    char *composite = calloc(count, 1);
    uint32_t found = 0;
    for (int i = 2; i < count; i++) {
        found += !composite[i];
        for (long j = (long)i * i; j < count && !composite[i]; j += i)
            composite[j] = 1;
    }
    free(composite);
    return found;
}

static uint32_t matrices(int turns)
{
    static double left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            left[i][j] = i * j % 7, right[i][j] = i + j % 5;
    for (int turn = 0; turn < turns; turn++)
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                double sum = 0;
                for (int k = 0; k < SIDE; k++)
                    sum += left[i][k] * right[k][j];
                product[i][j] = sum + turn;
            }
    return (uint32_t)product[SIDE / 2][SIDE / 3];
}

static uint32_t copies(int turns)
{
    static uint32_t from[WORDS], to[WORDS];
    uint32_t sum = 0;
    for (int turn = 0; turn < turns; turn++) {
        for (int i = 0; i < WORDS; i++)
            to[i] = from[i] + i;
        memcpy(from, to, sizeof from);
        sum += from[turn % WORDS];
    }
    return sum;
}

int main(int argc, char **argv)
{
    int size = argc > 1 ? atoi(argv[1]) : 100000;
    uint32_t sum = sorted(size / 2) ^ bits(size * 2) ^ primes(size * 8);
    printf("%08x\n", sum ^ matrices(size / 50000 + 1) ^ copies(size / 500));
}
