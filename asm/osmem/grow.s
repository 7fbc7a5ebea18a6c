# More heap. The only user of brk; the break is never lowered.

# grow(n) -> the old break
#
#   in        rdi = bytes, more than 0
#   out       rax = the break before, or 0 where the kernel refused
#   clobbers  rdi, rcx, r11
#   keeps     every other register
#
# Nothing has changed after a refusal.
grow:
        push    rbx
        mov     rbx, rdi
        mov     rax, [rip + heap_break]
        test    rax, rax
        jnz     .Lgrow_break_known
        xor     edi, edi                        # once in a process's life:
        call    sys_brk                         # where does the heap start?
        mov     [rip + heap_break], rax
.Lgrow_break_known:
        add     rbx, rax                        # wanted
        jc      .Lgrow_refused
        mov     rdi, rbx
        call    sys_brk
        cmp     rax, rbx                        # Linux says no by answering
        jne     .Lgrow_refused                  # with the old break
        mov     rax, [rip + heap_break]
        mov     [rip + heap_break], rbx
        pop     rbx
        ret
.Lgrow_refused:
        pop     rbx
        jmp     out_of_memory

# grow_tail(need) -> the tail
#
#   in        rdi = need, a multiple of 8, more than the tail's size
#   out       rax = the last block, with exactly `need` bytes, or 0
#   clobbers  rdi, rcx, r11
#   keeps     every other register
grow_tail:
        push    rbx
        mov     rbx, rdi
        mov     rax, [rip + heap_tail]
        sub     rdi, [rax + BLOCK_SIZE]         # what is missing
        call    grow
        test    rax, rax
        jz      .Lgrow_tail_refused
        mov     rax, [rip + heap_tail]
        mov     [rax + BLOCK_SIZE], rbx
.Lgrow_tail_refused:
        pop     rbx
        ret

# append_block(bytes, status) -> payload
#
#   in        rdi = bytes of header and payload, a multiple of 8
#             edx = status
#   out       rax = payload of a block that is the last of the list now, or 0
#   clobbers  rcx, rsi, rdi, r11
#   keeps     every other register
#
# New memory as a block; only the first of all is FREE.
append_block:
        mov     rsi, rdi
        sub     rsi, META                       # bytes of payload
        call    grow
        test    rax, rax
        jz      .Lappend_refused
        mov     [rax + BLOCK_SIZE], rsi
        mov     dword ptr [rax + BLOCK_STATUS], edx
        mov     rcx, [rip + heap_tail]
        mov     [rax + BLOCK_PREV], rcx
        mov     qword ptr [rax + BLOCK_NEXT], 0
        mov     [rip + heap_tail], rax
        test    rcx, rcx
        jz      .Lappend_first
        mov     [rcx + BLOCK_NEXT], rax
        add     rax, META
.Lappend_refused:
        ret
.Lappend_first:
        mov     [rip + heap_head], rax
        add     rax, META
        ret
