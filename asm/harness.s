# What surrounds the code under test: the way in, the way out, and the program's
# own writing. It lies in a page of its own, outside what the process may unmap.

        .intel_syntax noprefix

        .text

# enter: the stack holds the function's address, then its return address.
#
# Enters the function as a call would, with every register as it was set.
enter:
        ret

# leave: the function returns to behind its `nop`. The interrupt ends the run.
#
# A debugger looks for a caller one byte before the return address: that is where
# the call would be.
leave:
        nop
        int     0xff

# fill(address, word, count)
#
#   in        rdi = where
#             rsi = a byte, eight times
#             rdx = how many bytes
#   clobbers  rax, rcx, rdi
#
# The program under test writes its memory: a guest instruction does it, so that
# the page's rights apply.
fill:
        mov     rax, rsi
        mov     rcx, rdx
        shr     rcx, 3
        rep stosq                               # whole words
        mov     ecx, edx
        and     ecx, 7
        rep stosb                               # and what is left
        ret

# look(address, count)
#
#   in        rdi = where
#             rsi = how many bytes
#   clobbers  rax, rcx, rsi
#
# The program under test reads its memory, byte by byte.
look:
        mov     rcx, rsi
        mov     rsi, rdi
        rep lodsb
        ret
