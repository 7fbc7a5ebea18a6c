# void *os_calloc(size_t count, size_t size)
#
#   in        rdi = how many
#             rsi = bytes of each
#   out       rax = payload, count * size bytes of it 0, or 0
#   clobbers  what the System V ABI lets it

        .globl  os_calloc
os_calloc:
        mov     rax, rdi
        mul     rsi                             # rdx:rax = count * size
        test    rdx, rdx
        jnz     out_of_memory
        push    rbx
        mov     rbx, rax
        mov     rdi, rax
        mov     esi, PAGE
        call    alloc
        test    rax, rax
        jz      .Lcalloc_refused
        mov     rdi, rax
        mov     rsi, rax                        # the result, kept
        xor     eax, eax
        mov     rcx, rbx
        shr     rcx, 3
        rep stosq                               # whole words
        mov     ecx, ebx
        and     ecx, 7
        rep stosb                               # and what is left
        mov     rax, rsi
.Lcalloc_refused:
        pop     rbx
        ret
