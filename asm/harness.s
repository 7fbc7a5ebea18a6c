# What surrounds the code under test: the way in, the way out, and the program's
# own writing. It lies in a page of its own, outside what the process may unmap.

        .intel_syntax noprefix

        .text

# enter: the stack holds the function's address, then its return address.
#
# Enters the function as a call would, with every register as it was set.
enter:
        ret

# leave: where the function returns to. `hlt` ends the run.
leave:
        hlt

# fill(address, byte, count)
#
#   in        rdi = where
#             esi = the byte
#             rdx = how many
#   clobbers  rax, rcx, rdi
#
# The program under test writes its memory: a guest instruction does it, so that
# the page's rights apply.
fill:
        mov     eax, esi
        mov     rcx, rdx
        rep stosb
        ret
