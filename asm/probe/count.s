# The instruction counter: machine code for the host, called by Unicorn before
# every block of guest code.
#
#     a counter in host memory                 a block's slot, behind the counter
#     0   LEFT     instructions it may run     0   LENGTH   its instructions
#     8   LAST     slot of the last block      8   COUNTER  whose it is
#     16  SPENT    slot that LEFT, or the
#                  ring, was not enough for,
#                  or 0
#     24  UNEVEN   slot of a block whose
#                  accesses would not be
#                  aligned, or 0
#     32  STOP     address of uc_emu_stop
#     40  FLAG     address of an int: below 0 once Unicorn shall leave a block
#     48  CHECK    Unicorn's function that looks at it, and leaves
#     56  ENGINE   Unicorn's handle
#     64  SLOW     address of leave_block, or of leave_recorded
#     72  INLINED  blocks that count in line
#     80  AT       where the next record of a block goes, in the ring
#     88  END      from there on the ring has only room for LEFT
#     96  BESIDE   how far FLAG is from where rbp points, in Unicorn's code
#     104 FIRST    slot of the first block that may be recorded
#
# Unicorn writes the address of a block's slot into the code that it makes of the
# block, so that nothing has to be looked up.
#
# Where blocks are recorded, a record is 4 bytes: which slot from FIRST on is the
# block's. A block has an instruction at least, so that LEFT keeps the ring
# from running over; for those that count as none (the way in and the way out),
# record_block looks at END.
#
# Before a block that must find its accesses aligned, another routine is called,
# made of copies of the pieces below: begin_sums, then start_sum, some add_term
# and end_sum for each address, then what stands from check_sums to the end.
# A sum is what an address is, modulo 16, in terms of the registers at the block's
# entry. Unicorn's code keeps the CPU's state in rbp, and it begins with the
# registers: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15.

        .intel_syntax noprefix

        .equ LEFT,          0
        .equ LAST,          8
        .equ SPENT,         16
        .equ UNEVEN,        24
        .equ STOP,          32
        .equ FLAG,          40
        .equ CHECK,         48
        .equ ENGINE,        56
        .equ SLOW,          64
        .equ INLINED,       72
        .equ AT,            80
        .equ END,           88
        .equ BESIDE,        96
        .equ FIRST,         104
        .equ HEADER_SIZE,   112
        .equ RECORD_SIZE,   4
        .equ LENGTH,        0
        .equ COUNTER,       8
        .equ SLOT_SIZE,     16
        .equ SLOT_SHIFT,    4

        .equ CONSTANT,      0x11111111          # to be filled in where a piece is
        .equ REGISTER,      0x22222222          # copied; REGISTER is an offset
        .equ FACTOR,        0x33

        .text

begin_sums:
        xor     r8d, r8d                        # the bits of all sums

start_sum:
        mov     eax, CONSTANT

add_term:
        imul    edx, dword ptr [rbp + REGISTER], FACTOR
        add     eax, edx

end_sum:
        or      r8d, eax

check_sums:
        test    r8d, 15
        jnz     .Lcount_uneven

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

.Lcount_uneven:
        mov     rax, [rcx + COUNTER]
        mov     [rax + UNEVEN], rcx
        jmp     qword ptr [rax + STOP]

record_sums:
        test    r8d, 15
        jnz     .Lrecord_uneven

# void record_block(uc_engine *uc, uint64_t address, uint32_t size, void *slot)
#
#   in        rdi = engine
#             rcx = slot of the block
#   clobbers  rax, rdx, r8
#
# As count_block, and writes the block's record.
record_block:
        mov     rax, [rcx + COUNTER]
        mov     r8, [rax + AT]
        cmp     r8, [rax + END]
        jae     .Lrecord_full
        mov     rdx, [rcx + LENGTH]
        sub     [rax + LEFT], rdx
        jb      .Lrecord_spent
        mov     rdx, rcx
        sub     rdx, [rax + FIRST]
        shr     rdx, SLOT_SHIFT
        mov     [r8], edx
        add     r8, RECORD_SIZE
        mov     [rax + AT], r8
        ret

.Lrecord_spent:
        add     [rax + LEFT], rdx
.Lrecord_full:
        mov     [rax + SPENT], rcx
        jmp     qword ptr [rax + STOP]

.Lrecord_uneven:
        mov     rax, [rcx + COUNTER]
        mov     [rax + UNEVEN], rcx
        jmp     qword ptr [rax + STOP]

# void find_state(uc_engine *uc, uint64_t address, uint32_t size, void *place)
#
#   in        rcx = place
#
# Called in count_block's stead, to tell where the CPU's state is.
find_state:
        mov     [rcx], rbp
        ret

        .include "inline.s"
