# void *os_malloc(size_t size)
#
#   in        rdi = bytes
#   out       rax = payload, or 0 (os_errno is set where memory ran out)
#   clobbers  what the System V ABI lets it

        .globl  os_malloc
os_malloc:
        cmp     rdi, MAPPED_FROM
        jae     alloc_mapped
        # fall through

# alloc_small(size) -> payload
#
#   in        rdi = bytes, few enough for the heap
#   out       rax = payload, or 0
#   clobbers  every register a caller saves
alloc_small:
        add     rdi, ALIGN_UP
        and     rdi, ALIGN_MASK
        jz      .Lalloc_nothing
        # fall through

# heap_alloc(need) -> payload
#
#   in        rdi = need, a multiple of 8, more than 0
#   out       rax = payload, or 0
#   clobbers  every register a caller saves
#
# Best fit; else a longer tail; else a new one.
heap_alloc:
        mov     r8, [rip + heap_head]
        cmp     dword ptr [rip + unmerged], 0
        je      .Ltake_look
        call    merge_runs
.Ltake_look:
        lea     r10, [rip + bin_map]
        mov     ecx, edi
        shr     ecx, 3                          # the bin of blocks that fit exactly
        mov     eax, ecx
        shr     eax, 6
        mov     rdx, [r10 + rax*8 + BOTTOM]
        shr     rdx, cl                         # that one, and those above it
        test    edx, 1
        jnz     .Ltake_from_bin
        bsf     rdx, rdx
        jz      .Ltake_from_other_word
        add     ecx, edx

# The bin (ecx) is of longer blocks; the heap's last block, in no bin, may fit better.
.Ltake_longer:
        mov     rsi, [rip + heap_tail]
        cmp     dword ptr [rsi + BLOCK_STATUS], FREE
        jne     .Ltake_from_bin
        mov     rdx, [rsi + BLOCK_SIZE]
        cmp     rdx, rdi
        jb      .Ltake_from_bin
        lea     rax, [rcx*8]
        cmp     rdx, rax
        jb      .Ltake_tail
        cmp     ecx, LAST_BIN
        je      .Ltake_last_or_tail
.Ltake_from_bin:
        lea     r9, [r10 + rcx*4 + BINS]
        mov     edx, [r9]
        mov     rax, [r8 + rdx*8]               # both of its links
        test    rax, rax
        jz      .Ltake_last
        test    eax, eax
        jnz     .Ltake_leftmost
        shr     rax, 32
        mov     [r9], eax                       # what was right of it
.Ltake_block:
        lea     rax, [r8 + rdx*8]               # the payload
.Ltake_payload:
        mov     rcx, [rax + SIZE_HERE]
        mov     dword ptr [rax + STATUS_HERE], ALLOC
        sub     rcx, rdi                        # what would be left over
        cmp     rcx, SPLIT_MIN
        jae     .Ltake_part
        ret
.Ltake_part:
        lea     rsi, [rax + TO_HEADER]
        mov     [rsi + BLOCK_SIZE], rdi
        add     rdi, rax                        # the rest's header
        sub     rcx, META
        mov     [rdi + BLOCK_SIZE], rcx
        mov     dword ptr [rdi + BLOCK_STATUS], FREE
        mov     [rdi + BLOCK_PREV], rsi
        mov     rdx, [rsi + BLOCK_NEXT]
        mov     [rdi + BLOCK_NEXT], rdx
        mov     [rsi + BLOCK_NEXT], rdi
        test    rdx, rdx
        jz      .Ltake_part_of_tail
        mov     [rdx + BLOCK_PREV], rdi
        jmp     insert_sized                    # no FREE neighbour: we have merged
.Ltake_part_of_tail:
        mov     qword ptr [rdi + META], 0       # in no tree
        mov     [rip + heap_tail], rdi
        ret

.Ltake_leftmost:
        lea     r9, [r8 + rdx*8 + LEFT]
        mov     edx, eax
        mov     eax, [r8 + rdx*8 + LEFT]
        test    eax, eax
        jnz     .Ltake_leftmost
        mov     eax, [r8 + rdx*8 + RIGHT]
        mov     [r9], eax
        jmp     .Ltake_block
.Ltake_last:
        mov     [r9], eax
        clear_bottom
        jnz     .Ltake_block
        call    empty_word
        jmp     .Ltake_block

.Ltake_last_or_tail:
        mov     eax, [r10 + LAST_ROOT]
.Ltake_shortest:
        mov     r9d, eax
        mov     eax, [r8 + r9*8 + LEFT]
        test    eax, eax
        jnz     .Ltake_shortest
        cmp     rdx, [r8 + r9*8 + SIZE_HERE]
        jae     .Ltake_from_bin
.Ltake_tail:
        lea     rax, [rsi + META]
        jmp     .Ltake_payload

.Lalloc_nothing:
        xor     eax, eax
        ret

.Ltake_from_other_word:
        mov     ecx, eax                        # above the bottom's word
        shr     eax, 6
        mov     rdx, [r10 + rax*8 + MIDDLE]
        shr     rdx, cl
        shr     rdx, 1
        bsf     rdx, rdx
        jz      .Ltake_from_other_middle
        lea     ecx, [rcx + rdx + 1]
.Ltake_from_word:
        mov     rdx, [r10 + rcx*8 + BOTTOM]
        bsf     rdx, rdx
        shl     ecx, 6
        add     ecx, edx
        jmp     .Ltake_longer
.Ltake_from_other_middle:
        mov     ecx, eax                        # above the middle's word
        mov     rdx, [r10 + TOP]
        shr     rdx, cl
        shr     rdx, 1
        bsf     rdx, rdx
        jz      .Ltake_no_fit
        lea     ecx, [rcx + rdx + 1]
        mov     rdx, [r10 + rcx*8 + MIDDLE]
        bsf     rdx, rdx
        shl     ecx, 6
        add     ecx, edx
        jmp     .Ltake_from_word

# For a need (rdi) that no block in a tree is long enough for; r8 = heap_head.
.Ltake_no_fit:
        test    r8, r8
        jz      .Ltake_begin
        mov     rsi, [rip + heap_tail]
        cmp     dword ptr [rsi + BLOCK_STATUS], FREE
        jne     .Ltake_new_tail
        cmp     [rsi + BLOCK_SIZE], rdi
        jae     .Ltake_tail
        call    grow_tail                       # free but too small: longer
        test    rax, rax
        jz      .Ltake_refused
        mov     dword ptr [rax + BLOCK_STATUS], ALLOC
        add     rax, META
        ret
.Ltake_new_tail:
        mov     rax, [rip + heap_break]
        sub     rax, r8
        mov     rcx, REACH
        cmp     rax, rcx
        ja      out_of_memory
        add     rdi, META
        mov     edx, ALLOC
        jmp     append_block
.Ltake_begin:
        mov     r8, rdi
        mov     edi, PREALLOC                   # the heap's first use
        mov     edx, FREE                       # in no tree; its payload is new, and 0
        call    append_block
        mov     rdi, r8
        test    rax, rax
        jnz     .Ltake_payload                  # long enough for any request
.Ltake_refused:
        ret

# alloc_mapped(size) -> payload
#
#   in        rdi = bytes, too many for the heap
#   out       rax = payload, or 0
#   clobbers  every register a caller saves
alloc_mapped:
        mov     rax, MAX_REQUEST
        cmp     rdi, rax
        ja      out_of_memory
        jmp     map_block
