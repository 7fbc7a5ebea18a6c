# The replay loop: calls functions one after another, as a table says, without a way
# back to the host in between. It lies above what the process may map, and so does the
# table.
#
#     a row of the table: a call
#     0   FUNCTION  its address
#     8   FIRST     address of a word: the first argument
#     16  SECOND    the second argument
#     24  VALUE     a word that FIRST may point to
#     32  RESULT    what the call answered; later rows' FIRST may point to it
#
# The loop trusts no register of the code that it calls: what it knows is in memory.
# It uses none that a function must keep, so that what they hold at the end shows
# whether each of them was kept by all.

        .intel_syntax noprefix

        .equ FUNCTION,      0
        .equ FIRST,         8
        .equ SECOND,        16
        .equ VALUE,         24
        .equ RESULT,        32
        .equ ROW_SIZE,      40

        .text

# replay(first, end) -> the row behind the last one
#
#   in        rdi = address of the first row
#             rsi = where the rows end
#   out       rax = the end; or the row whose call came back with another rsp
#   clobbers  rcx, rdi, rsi, and what the functions clobber
#
# Its own return address makes room for those of the calls: so a function finds the
# stack where it finds it when it is called from outside.
replay:
        pop     qword ptr [rip + back]
        mov     [rip + stack], rsp
        mov     [rip + row], rdi
        mov     [rip + end], rsi
        jmp     next_row                        # a block of its own begins there

# next_row: the block by whose entries the calls are told apart.
next_row:
        mov     rax, [rip + row]
        cmp     rax, [rip + end]
        je      .Ldone
        mov     rdi, [rax + FIRST]
        mov     rdi, [rdi]
        mov     rsi, [rax + SECOND]
        call    qword ptr [rax + FUNCTION]
        mov     rcx, [rip + row]
        mov     [rcx + RESULT], rax
        cmp     rsp, [rip + stack]
        jne     .Ldone
        add     qword ptr [rip + row], ROW_SIZE
        jmp     next_row

.Ldone:
        mov     rsp, [rip + stack]
        mov     rax, [rip + row]
        push    qword ptr [rip + back]
        ret

        .data
        .p2align 3
row:    .quad   0                               # of the call that runs
end:    .quad   0
stack:  .quad   0                               # rsp where the calls stand
back:   .quad   0                               # where the loop returns to
