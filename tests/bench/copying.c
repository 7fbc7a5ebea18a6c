/* Nothing but copies by aligned accesses of 16 bytes, four a turn. */
#include <emmintrin.h>
#include <stdlib.h>

static __m128i from[1024], to[1024];

int main(int argc, char **argv)
{
    int turns = argc > 1 ? atoi(argv[1]) : 1000;
    for (int turn = 0; turn < turns; turn++) {
        for (int i = 0; i < 1024; i += 4) {
            _mm_store_si128(to + i, _mm_load_si128(from + i));
            _mm_store_si128(to + i + 1, _mm_load_si128(from + i + 1));
            _mm_store_si128(to + i + 2, _mm_load_si128(from + i + 2));
            _mm_store_si128(to + i + 3, _mm_load_si128(from + i + 3));
        }
        __asm__ volatile("" ::: "memory");
    }
}
