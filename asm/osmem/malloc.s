# void *os_malloc(size_t size)
#
#   in        rdi = bytes
#   out       rax = payload, or 0 (os_errno is set where memory ran out)
#   clobbers  what the System V ABI lets it

        .globl  os_malloc
os_malloc:
        mov     esi, THRESHOLD
        # fall through

# alloc(size, threshold) -> payload
#
#   in        rdi = bytes
#             rsi = from which size on, header counted, the block is mapped
#   out       rax = payload, or 0
#   clobbers  every register a caller saves
alloc:
        test    rdi, rdi
        jz      .Lalloc_nothing
        mov     rax, MAX_REQUEST
        cmp     rdi, rax
        ja      out_of_memory
        lea     rax, [rdi + META]
        cmp     rax, rsi
        jae     map_block
        add     rdi, ALIGN_UP
        and     rdi, ALIGN_MASK
        jmp     heap_alloc
.Lalloc_nothing:
        xor     eax, eax
        ret

# heap_alloc(need) -> payload
#
#   in        rdi = need, a multiple of 8, more than 0
#   out       rax = payload, or 0
#   clobbers  every register a caller saves
#
# Best fit; else a longer tail; else a new one.
heap_alloc:
        push    rbx
        mov     rbx, rdi
        cmp     qword ptr [rip + heap_head], 0
        jne     .Lheap_search
        mov     edi, PREALLOC                   # the heap's first use
        mov     edx, FREE
        call    append_block
        test    rax, rax
        jz      .Lheap_refused
.Lheap_search:
        call    merge_free_runs
        mov     rdi, rbx
        call    find_best
        test    rax, rax
        jz      .Lheap_no_fit
        mov     rdi, rax
        mov     dword ptr [rdi + BLOCK_STATUS], ALLOC
        mov     rsi, rbx
        call    split_block
        lea     rax, [rdi + META]
        pop     rbx
        ret
.Lheap_no_fit:
        mov     rax, [rip + heap_tail]
        cmp     dword ptr [rax + BLOCK_STATUS], FREE
        jne     .Lheap_new_tail
        mov     rdi, rbx                        # free but too small: longer
        call    grow_tail
        test    rax, rax
        jz      .Lheap_refused
        mov     dword ptr [rax + BLOCK_STATUS], ALLOC
        add     rax, META
        pop     rbx
        ret
.Lheap_new_tail:
        lea     rdi, [rbx + META]
        mov     edx, ALLOC
        call    append_block
.Lheap_refused:
        pop     rbx
        ret
