# The instruction counter: machine code for the host, called by Unicorn before
# every block of guest code.
#
#     a counter in host memory                 a block's slot
#     0   LEFT     instructions it may run     0   LENGTH   its instructions
#     8   LAST     slot of the last block      8   COUNTER  whose it is
#     16  SPENT    slot that LEFT was not
#                  enough for, or 0
#     24  UNEVEN   slot of a block whose
#                  accesses would not be
#                  aligned, or 0
#     32  STOP     address of uc_emu_stop
#     40  FLAG     address of an int: below 0 once Unicorn shall leave a block
#     48  CHECK    Unicorn's function that looks at it, and leaves
#     56  ENGINE   Unicorn's handle
#     64  SLOW     address of leave_block
#
# Unicorn writes the address of a block's slot into the code that it makes of the
# block, so that nothing has to be looked up.
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
        .equ LENGTH,        0
        .equ COUNTER,       8
        .equ SLOT_SIZE,     16

        .equ CONSTANT,      0x11111111          # to be filled in where a piece is
        .equ REGISTER,      0x22222222          # copied; REGISTER is an offset
        .equ FACTOR,        0x33
        .equ WIDE,          0x4444444444444444

        .equ LONGEST,       0xffff              # instructions of a block, and more
        .equ MOV_RDI,       0xbf48              # opcodes, the first byte lowest
        .equ XOR_ESI,       0xf633
        .equ CALL,          0xe8
        .equ CALL_FAR,      0x15ff
        .equ BACK_CALL,     -5                  # from the return address
        .equ BACK_FAR,      -6
        .equ BACK_SLOT,     -8                  # from the call

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

# void first_entry(uc_engine *uc, uint64_t address, uint32_t size, void *slot)
#
#   in        rdi = engine
#             rcx = slot of the block
#             the return address, in Unicorn's code
#   clobbers  rax, rdx, r8, r9, r10, xmm0, xmm1, xmm2
#
# Called in count_block's stead, the first time that a block is entered. This call
# and the next, of Unicorn's function that looks whether it shall leave, are a sixth
# of what a block costs. So both are replaced, in Unicorn's code, by inlined_count,
# and that runs at once. Code that is not what is expected here to the byte is left:
#
#     mov     rdi, engine             10 bytes
#     mov     rsi, address            5, 7 or 10
#     mov     edx, size               5
#     mov     rcx, slot               10
#     call    first_entry             5; or 6, by way of a word in memory
#     mov     rdi, engine             10, at the return address
#     xor     esi, esi                2
#     call    CHECK                   5 or 6
first_entry:
        mov     rax, [rcx + COUNTER]
        mov     rdx, [rcx + LENGTH]
        cmp     rdx, LONGEST
        ja      count_block                     # it may not run as it stands
        mov     r8, [rsp]
        cmp     word ptr [r8], MOV_RDI
        jne     count_block
        cmp     [r8 + 2], rdi
        jne     count_block
        cmp     word ptr [r8 + 10], XOR_ESI
        jne     count_block

        lea     r10, [r8 + 17]                  # behind the second call
        movsxd  r9, dword ptr [r8 + 13]
        add     r9, r10
        cmp     byte ptr [r8 + 12], CALL
        je      .Lcount_called
        cmp     word ptr [r8 + 12], CALL_FAR
        jne     count_block
        inc     r10
        movsxd  r9, dword ptr [r8 + 14]
        mov     r9, [r10 + r9]
.Lcount_called:
        cmp     r9, [rax + CHECK]
        jne     count_block

        lea     r9, [r8 + BACK_CALL]                 # the first call
        cmp     byte ptr [r9], CALL
        je      .Lcount_caller
        lea     r9, [r8 + BACK_FAR]
        cmp     word ptr [r9], CALL_FAR
        jne     count_block
.Lcount_caller:
        cmp     [r9 + BACK_SLOT], rcx
        jne     count_block
        sub     r9, 30                          # where its arguments begin
        call    begins_here
        je      .Lcount_inline
        sub     r9, 2
        call    begins_here
        je      .Lcount_inline
        sub     r9, 3
        call    begins_here
        jne     count_block

.Lcount_inline:
        lea     r8, [rip + inlined_count]
        movups  xmm0, [r8]
        movups  xmm1, [r8 + 16]
        movups  xmm2, [r8 + 32]
        movups  [r9], xmm0
        movups  [r9 + 16], xmm1
        movups  [r9 + 32], xmm2
        mov     [r9 + 2], rax                   # the numbers that are filled in
        mov     [r9 + 12], rcx
        mov     [r9 + 32], edx
        sub     r10, r9
        sub     r10, 44
        mov     [r9 + 43], r10b                 # how far to jump
        mov     [rsp], r9
        ret

# begins_here: whether `mov rdi, engine` is at r9, in the flag zero.
begins_here:
        cmp     word ptr [r9], MOV_RDI
        jne     .Lcount_elsewhere
        cmp     [r9 + 2], rdi
.Lcount_elsewhere:
        ret

# What replaces the calls: 47 bytes, and one to make it 48.
inlined_count:
        movabs  rdx, WIDE                       # the counter
        movabs  rcx, WIDE                       # the slot
        mov     rax, [rdx + FLAG]
        cmp     dword ptr [rax], 0
        jl      .Lcount_slow
        sub     qword ptr [rdx], CONSTANT       # LEFT, which is at 0, less LENGTH
        jb      .Lcount_slow
        mov     [rdx + LAST], rcx
        jmp     .Lcount_on                      # to where it goes on
.Lcount_slow:
        call    qword ptr [rdx + SLOW]
.Lcount_on:
        nop

# leave_block: Unicorn shall leave the block, or the block is too long for LEFT.
#
#   in        rdx = counter, rcx = slot
#
# Does not return: CHECK leaves Unicorn's code.
leave_block:
        mov     rax, [rdx + FLAG]
        cmp     dword ptr [rax], 0
        jl      .Lcount_leave
        mov     rax, [rcx + LENGTH]
        add     [rdx + LEFT], rax
        mov     [rdx + SPENT], rcx
        push    rdx                             # the stack is aligned again
        mov     rdi, [rdx + ENGINE]
        call    qword ptr [rdx + STOP]
        pop     rdx
.Lcount_leave:
        mov     rdi, [rdx + ENGINE]
        xor     esi, esi
        jmp     qword ptr [rdx + CHECK]

# void find_state(uc_engine *uc, uint64_t address, uint32_t size, void *place)
#
#   in        rcx = place
#
# Called in count_block's stead, to tell where the CPU's state is.
find_state:
        mov     [rcx], rbp
        ret
