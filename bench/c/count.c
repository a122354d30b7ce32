/* Preloaded into a program: counts the heap allocations of the process, and prints the count on
 * standard error when the process ends. */
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

static unsigned long count;

void *malloc(size_t size) { count++; return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count++; return __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { count++; return __libc_realloc(old, size); }
void *aligned_alloc(size_t align, size_t size) { count++; return __libc_memalign(align, size); }

int posix_memalign(void **ret_start, size_t align, size_t size) {
    count++;
    void *start = __libc_memalign(align, size);
    if (start) *ret_start = start;
    return start ? 0 : 12; /* The exit status is ENOMEM. */
}

__attribute__((destructor)) static void print(void) { fprintf(stderr, "allocations %lu\n", count); }
