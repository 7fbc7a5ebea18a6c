# The instruction counter: machine code for the host, called by Unicorn before
# every block of guest code.
#
#     a counter in host memory                 a block's slot
#     0   LEFT    instructions it may run      0   LENGTH   its instructions
#     8   LAST    slot of the last block       8   COUNTER  whose it is
#     16  SPENT   slot that LEFT was not
#                 enough for, or 0
#     24  STOP    address of uc_emu_stop
#
# Unicorn writes the address of a block's slot into the code that it makes of the
# block, so that nothing has to be looked up.

        .intel_syntax noprefix

        .equ LEFT,          0
        .equ LAST,          8
        .equ SPENT,         16
        .equ STOP,          24
        .equ LENGTH,        0
        .equ COUNTER,       8
        .equ SLOT_SIZE,     16

        .text

# void count_block(uc_engine *uc, uint64_t address, uint32_t size, void *slot)
#
#   in        rdi = engine
#             rcx = slot of the block
#   clobbers  rax, rdx
#
# Takes the block's instructions from LEFT, or stops the engine before the block
# where they are too many.
count_block:
        mov     rax, [rcx + COUNTER]
        mov     rdx, [rcx + LENGTH]
        sub     [rax + LEFT], rdx
        jb      .Lcount_spent
        mov     [rax + LAST], rcx
        ret

.Lcount_spent:
        add     [rax + LEFT], rdx
        mov     [rax + SPENT], rcx
        jmp     qword ptr [rax + STOP]
