# void *os_calloc(size_t count, size_t size)
#
#   in        rdi = how many
#             rsi = bytes of each
#   out       rax = payload, count * size bytes of it 0, or 0
#   clobbers  what the System V ABI lets it
#
# What the kernel has just given is 0 already: a mapping, and what lies behind
# the break of before.

        .globl  os_calloc
os_calloc:
        mov     rax, rdi
        mul     rsi                             # rdx:rax = count * size
        jc      out_of_memory                   # rdx is not 0
        push    rbx
        push    r12
        mov     rbx, rax
        mov     r12, [rip + heap_break]         # 0 before the heap's first use
        mov     rdi, rax
        cmp     rax, CALLOC_MAPPED_FROM
        jae     .Lcalloc_mapped
        call    alloc_small
        test    rax, rax
        jz      .Lcalloc_done
        lea     rdi, [rax + rbx + ALIGN_UP]
        and     rdi, ALIGN_MASK                 # the end of what was asked for
        cmp     rdi, r12
        cmova   rdi, r12                        # or of what is not new
        call    clear
.Lcalloc_done:
        pop     r12
        pop     rbx
        ret
.Lcalloc_mapped:
        pop     r12
        pop     rbx
        jmp     alloc_mapped

# clear(start, end)
#
#   in        rax = start, a multiple of 8
#             rdi = end, a multiple of 8, which may be at start or before it
#   clobbers  rcx, rdi, xmm0
#   keeps     every other register
#
# 16 bytes at a time: `rep stosq` takes long to begin on a CPU, and long for each
# word on the emulated one.
clear:
        sub     rdi, rax
        jbe     .Lclear_done
        mov     rcx, rax
        pxor    xmm0, xmm0
        sub     rdi, 64
        jb      .Lclear_less_than_64
.Lclear_64:
        movups  [rcx], xmm0
        movups  [rcx + 16], xmm0
        movups  [rcx + 32], xmm0
        movups  [rcx + 48], xmm0
        add     rcx, 64
        sub     rdi, 64
        jae     .Lclear_64
.Lclear_less_than_64:
        add     rdi, 64                         # what is left: 0 to 56
        jz      .Lclear_done
.Lclear_8:
        mov     qword ptr [rcx], 0
        add     rcx, 8
        sub     rdi, 8
        jnz     .Lclear_8
.Lclear_done:
        ret
