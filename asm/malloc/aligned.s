# What else a C library's allocator has, for programs that take these for it: blocks at
# addresses that are multiples of more than 8, and how much a block has.
#
# Such a block is the end of a longer one of the heap. What stood before it is given back
# as a block of its own, so that os_free and os_realloc know nothing of all this.

        .equ EINVAL,        22
        .equ POINTER,       8
        .equ PAGE_MASK,     -4096

# int os_posix_memalign(void **place, size_t alignment, size_t size)
#
#   in        rdi = where the payload's address goes
#             rsi = alignment, a power of two, and a multiple of 8
#             rdx = bytes
#   out       eax = 0, or EINVAL or ENOMEM; then nothing was written
#   clobbers  what the System V ABI lets it
#
# posix_memalign(3). os_errno stays as it was.

        .globl  os_posix_memalign
os_posix_memalign:
        push    rbx
        push    r12
        push    r13
        mov     rbx, rdi
        mov     r12d, [rip + os_errno]
        mov     r13, rdx
        cmp     rsi, POINTER
        jb      .Lposix_invalid
        lea     rax, [rsi - 1]
        test    rax, rsi
        jnz     .Lposix_invalid
        mov     rdi, rsi
        mov     rsi, rdx
        call    os_memalign
        test    rax, rax
        jnz     .Lposix_write
        test    r13, r13
        jnz     .Lposix_no_memory               # 0 bytes are NULL
.Lposix_write:
        mov     [rbx], rax
        xor     eax, eax
        jmp     .Lposix_done
.Lposix_no_memory:
        mov     eax, ENOMEM
        jmp     .Lposix_done
.Lposix_invalid:
        mov     eax, EINVAL
.Lposix_done:
        mov     [rip + os_errno], r12d
        pop     r13
        pop     r12
        pop     rbx
        ret

# void *os_pvalloc(size_t size): a multiple of a page, at one
#
#   in        rdi = bytes
#   out       as os_memalign
        .globl  os_pvalloc
os_pvalloc:
        add     rdi, PAGE - 1
        jc      out_of_memory
        and     rdi, PAGE_MASK
        # fall through

# void *os_valloc(size_t size): at a page
#
#   in        rdi = bytes
#   out       as os_memalign
        .globl  os_valloc
os_valloc:
        mov     rsi, rdi
        mov     edi, PAGE
        # fall through

# void *os_memalign(size_t alignment, size_t size), and os_aligned_alloc
#
#   in        rdi = alignment, a power of two
#             rsi = bytes
#   out       rax = payload, a multiple of the alignment; or 0: os_errno is ENOMEM, or EINVAL
#             where the alignment is no power of two
#   clobbers  what the System V ABI lets it

        .globl  os_memalign
        .globl  os_aligned_alloc
os_memalign:
os_aligned_alloc:
        lea     rax, [rdi - 1]
        test    rax, rdi
        jnz     .Laligned_invalid
        cmp     rdi, POINTER
        jbe     .Laligned_anywhere
        test    rsi, rsi
        jz      .Laligned_nothing

        push    rbx
        push    r12
        push    r13
        mov     rbx, rdi                        # alignment
        mov     r12, rsi
        add     r12, ALIGN_UP
        jc      .Laligned_refused
        and     r12, ALIGN_MASK                 # need
        lea     rdi, [r12 + META]
        add     rdi, rbx
        jc      .Laligned_refused
        mov     rax, MAX_REQUEST
        cmp     rdi, rax
        ja      .Laligned_refused
        cmp     r12, rax
        ja      .Laligned_refused
        call    alloc_of_any_size
        test    rax, rax
        jz      .Laligned_done
        mov     r13, rax                        # the longer block
        lea     rdx, [rbx - 1]
        test    rdx, rax
        jz      .Laligned_give_rest             # it happens to be right
        add     rax, rdx
        add     rax, SPLIT_MIN                  # a header, and 8 bytes before it
        neg     rbx
        and     rax, rbx
        lea     rdi, [rax + TO_HEADER]
        lea     rsi, [r13 + TO_HEADER]
        mov     rcx, [rsi + BLOCK_SIZE]
        add     rcx, r13
        sub     rcx, rax                        # bytes from here to its end
        mov     [rdi + BLOCK_SIZE], rcx
        mov     dword ptr [rdi + BLOCK_STATUS], ALLOC
        mov     [rdi + BLOCK_PREV], rsi
        mov     rdx, [rsi + BLOCK_NEXT]
        mov     [rdi + BLOCK_NEXT], rdx
        mov     [rsi + BLOCK_NEXT], rdi
        mov     rcx, rdi
        sub     rcx, r13
        mov     [rsi + BLOCK_SIZE], rcx
        test    rdx, rdx
        jz      .Laligned_is_tail
        mov     [rdx + BLOCK_PREV], rdi
        jmp     .Laligned_linked
.Laligned_is_tail:
        mov     [rip + heap_tail], rdi
.Laligned_linked:
        mov     rdi, r13
        mov     r13, rax
        call    os_free
.Laligned_give_rest:
        lea     rdi, [r13 + TO_HEADER]
        mov     rsi, r12
        call    split_block
        mov     rax, r13
.Laligned_done:
        pop     r13
        pop     r12
        pop     rbx
        ret
.Laligned_refused:
        pop     r13
        pop     r12
        pop     rbx
        jmp     out_of_memory
.Laligned_anywhere:
        mov     rdi, rsi
        jmp     os_malloc
.Laligned_invalid:
        mov     dword ptr [rip + os_errno], EINVAL
.Laligned_nothing:
        xor     eax, eax
        ret

# size_t os_malloc_usable_size(void *payload)
#
#   in        rdi = payload, or 0
#   out       rax = bytes that it has, at least as many as were asked for
        .globl  os_malloc_usable_size
os_malloc_usable_size:
        xor     eax, eax
        test    rdi, rdi
        jz      .Lusable_done
        mov     rax, [rdi + TO_HEADER]          # BLOCK_SIZE
.Lusable_done:
        ret
