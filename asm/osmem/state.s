# What osmem remembers between two calls.

        .globl  os_errno

        .data
        .p2align 3
heap_head:      .quad 0         # first block of the heap, 0 before its first use
heap_tail:      .quad 0         # last block of the heap
heap_break:     .quad 0         # the break we set last, 0 while it is unknown
os_errno:       .long 0         # why the last call that failed did so

        .text

# out_of_memory() -> 0
#
#   out       rax = 0
#   keeps     every other register
#
# Every way to fail ends here.
out_of_memory:
        mov     dword ptr [rip + os_errno], ENOMEM
        xor     eax, eax
        ret
