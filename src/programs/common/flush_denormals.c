/* A program that this file is part of computes without denormal numbers: floating-point numbers nearer to 0 than 1.2e-38
 * (doubles: 2.2e-308) count as 0, in all of its threads. Processors take a hundred times as long for them, and a training that
 * diverges is full of them.
 *
 * Threads inherit the mode from the one that starts them, and OpenBLAS starts its own while it is loaded. So the mode is set
 * before any library's initialisation, which is what ELF's preinit_array is for: it belongs in programs, never in
 * libraries. musl does not run it; there the program's first constructor does the same, before that of a static OpenBLAS. On other processors than x86-64 and aarch64 denormal numbers stay. */
#include <stdint.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

static void flush_denormals(void)
{
#ifdef __SSE2__
    const unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    _mm_setcsr(_mm_getcsr() | flush_to_zero | denormals_are_zero);
#elif defined(__aarch64__)
    const uint64_t flush_to_zero = UINT64_C(1) << 24;
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | flush_to_zero));
#endif
}

__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(void) = flush_denormals;

__attribute__((constructor(101))) static void before_other_constructors(void)
{
    flush_denormals();
}
