# indexed in the place of the C library's malloc: its functions, and what else programs call.

        .intel_syntax noprefix
        .include "indexed/indexed.s"
        .include "aligned.s"

# alloc_of_any_size(need) -> payload
#
#   in        rdi = need, a multiple of 8, more than 0
#   out       rax = payload, in the heap, or 0
#   clobbers  every register a caller saves
#
# heap_alloc's bins are for what os_malloc puts into the heap. What is longer is looked for
# in the last bin, by size, then by address; else the heap grows, unless links would not
# reach all of it.
alloc_of_any_size:
        cmp     rdi, LAST_SIZES
        jb      heap_alloc
        mov     r8, [rip + heap_head]
        test    r8, r8
        jz      .Lany_begin
        cmp     dword ptr [rip + unmerged], 0
        je      .Lany_look
        call    merge_runs
.Lany_look:
        xor     eax, eax                        # the best so far
        lea     rcx, [rip + bin_map]
        mov     edx, [rcx + LAST_ROOT]
.Lany_node:
        test    edx, edx
        jz      .Lany_found
        lea     rcx, [r8 + rdx*8]
        cmp     [rcx + SIZE_HERE], rdi
        jb      .Lany_longer
        mov     rax, rcx
        mov     edx, [rcx + LEFT]
        jmp     .Lany_node
.Lany_longer:
        mov     edx, [rcx + RIGHT]
        jmp     .Lany_node
.Lany_found:
        test    rax, rax
        jz      .Lany_no_fit
        mov     rsi, [rip + heap_tail]          # in no tree
        cmp     dword ptr [rsi + BLOCK_STATUS], FREE
        jne     .Lany_take
        mov     rdx, [rsi + BLOCK_SIZE]
        cmp     rdx, rdi
        jb      .Lany_take
        cmp     rdx, [rax + SIZE_HERE]
        jb      .Ltake_tail                     # in heap_alloc
.Lany_take:
        push    rdi
        lea     rdi, [rax + TO_HEADER]
        call    remove_block
        mov     dword ptr [rdi + BLOCK_STATUS], ALLOC
        pop     rsi
        call    split_block
        lea     rax, [rdi + META]
        ret
.Lany_no_fit:
        mov     rax, [rip + heap_break]
        sub     rax, r8
        add     rax, rdi
        mov     rcx, REACH
        cmp     rax, rcx
        ja      out_of_memory
        jmp     .Ltake_no_fit                   # in heap_alloc
.Lany_begin:
        push    rdi
        mov     edi, ALIGN_UP + 1
        call    heap_alloc
        mov     rdi, rax
        call    os_free
        pop     rdi
        cmp     qword ptr [rip + heap_head], 0
        jne     alloc_of_any_size
        xor     eax, eax                        # the kernel refused
        ret
