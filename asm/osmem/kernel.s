# The system calls of osmem: brk, mmap, munmap, and no others.
#
# `syscall` itself destroys rcx and r11 (the kernel needs them to come back).

# sys_brk(wanted) -> the break
#
#   in        rdi = the break wanted, 0 to ask where it is
#   out       rax = the break now: `wanted`, or the old one where Linux refused
#   clobbers  rcx, r11
sys_brk:
        mov     eax, SYS_BRK
        syscall
        ret

# sys_map(length) -> address
#
#   in        rdi = bytes
#   out       rax = a new private anonymous mapping, or -errno
#   clobbers  rdi, rsi, rdx, rcx, r8, r9, r10, r11
sys_map:
        mov     rsi, rdi
        xor     edi, edi                        # anywhere
        mov     edx, READ_WRITE
        mov     r10d, PRIVATE_ANON
        mov     r8, -1                          # no file
        xor     r9d, r9d
        mov     eax, SYS_MMAP
        syscall
        ret

# sys_unmap(address, length)
#
#   in        rdi = address of the mapping
#             rsi = bytes
#   clobbers  rax, rcx, r11
sys_unmap:
        mov     eax, SYS_MUNMAP
        syscall
        ret
