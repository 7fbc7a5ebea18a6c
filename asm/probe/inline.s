# Counting in line: machine code for the host, part of count.s. Before a block,
# Unicorn's code calls the counter, and a function that looks whether it shall leave
# the block; these two calls are a sixth of what a block costs. So when a block is
# entered for the first time, both are replaced in Unicorn's code.

        .equ WIDE,          0x4444444444444444

        .equ LONGEST,       0xffff              # instructions of a block, and more
        .equ MOV_RDI,       0xbf48              # opcodes, the first byte lowest
        .equ XOR_ESI,       0xf633
        .equ CALL,          0xe8
        .equ CALL_FAR,      0x15ff
        .equ BACK_CALL,     -5                  # from the return address
        .equ BACK_FAR,      -6
        .equ BACK_SLOT,     -8                  # from the call
        .equ BACK_RECORD,   -14                 # from behind inlined_record

# void first_entry(uc_engine *uc, uint64_t address, uint32_t size, void *slot)
#
#   in        rdi = engine
#             rcx = slot of the block
#             the return address, in Unicorn's code
#   clobbers  rax, rdx, rsi, r8, r9, r10, r11, xmm0, xmm1, xmm2
#
# Replaces this call and the next, of Unicorn's function that looks whether it shall
# leave the block, by inlined_count, which runs at once. Code that is not what is
# expected here to the byte is left as it is, and count_block is called:
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
        lea     r11, [rip + count_block]
        lea     rsi, [rip + inlined_count]
.Lcount_look:
        mov     rax, [rcx + COUNTER]
        mov     rdx, [rcx + LENGTH]
        cmp     rdx, LONGEST
        ja      .Lcount_call                    # it may not run as it stands
        mov     r8, [rsp]
        cmp     word ptr [r8], MOV_RDI
        jne     .Lcount_call
        cmp     [r8 + 2], rdi
        jne     .Lcount_call
        cmp     word ptr [r8 + 10], XOR_ESI
        jne     .Lcount_call

        lea     r10, [r8 + 17]                  # behind the second call
        movsxd  r9, dword ptr [r8 + 13]
        add     r9, r10
        cmp     byte ptr [r8 + 12], CALL
        je      .Lcount_called
        cmp     word ptr [r8 + 12], CALL_FAR
        jne     .Lcount_call
        inc     r10
        movsxd  r9, dword ptr [r8 + 14]
        mov     r9, [r10 + r9]
.Lcount_called:
        cmp     r9, [rax + CHECK]
        jne     .Lcount_call

        lea     r9, [r8 + BACK_CALL]            # the first call
        cmp     byte ptr [r9], CALL
        je      .Lcount_caller
        lea     r9, [r8 + BACK_FAR]
        cmp     word ptr [r9], CALL_FAR
        jne     .Lcount_call
.Lcount_caller:
        cmp     [r9 + BACK_SLOT], rcx
        jne     .Lcount_call
        sub     r9, 30                          # where its arguments begin
        call    begins_here
        je      .Lcount_inline
        sub     r9, 2
        call    begins_here
        je      .Lcount_inline
        sub     r9, 3
        call    begins_here
        jne     .Lcount_call

.Lcount_inline:
        movups  xmm0, [rsi]
        movups  xmm1, [rsi + 16]
        movups  xmm2, [rsi + 32]
        movups  [r9], xmm0
        movups  [r9 + 16], xmm1
        movups  [r9 + 32], xmm2
        mov     [r9 + 2], rax                   # the numbers that are filled in
        mov     eax, [rax + BESIDE]
        sub     r10, r9
        sub     r10, 44
        lea     r8, [rip + inlined_record]
        cmp     rsi, r8
        je      .Lcount_fill_record
        mov     [r9 + 12], rcx
        mov     [r9 + 22], eax
        mov     [r9 + 32], edx
        mov     [r9 + 43], r10b                 # how far to jump
        jmp     .Lcount_begin
.Lcount_fill_record:
        mov     [r9 + 12], eax
        mov     [r9 + 22], edx
        mov     rax, [rcx + COUNTER]
        mov     rdx, rcx
        sub     rdx, [rax + FIRST]
        shr     rdx, SLOT_SHIFT
        mov     [r9 + 34], edx
        dec     r10
        mov     [r9 + 44], r10b
.Lcount_begin:
        mov     rax, [rcx + COUNTER]
        inc     qword ptr [rax + INLINED]
        mov     [rsp], r9
        ret

.Lcount_call:
        jmp     r11

# void first_record(uc_engine *uc, uint64_t address, uint32_t size, void *slot)
#
# As first_entry, with record_block and inlined_record.
first_record:
        lea     r11, [rip + record_block]
        lea     rsi, [rip + inlined_record]
        cmp     qword ptr [rcx + LENGTH], 0
        jne     .Lcount_look
        jmp     r11                             # it must look at END

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
        cmp     dword ptr [rbp + CONSTANT], 0   # FLAG
        jl      .Lcount_slow
        sub     qword ptr [rdx], CONSTANT       # LEFT, which is at 0, less LENGTH
        jb      .Lcount_slow
        mov     [rdx + LAST], rcx
        jmp     .Lcount_on                      # to where it goes on
.Lcount_slow:
        call    qword ptr [rdx + SLOW]
.Lcount_on:
        nop

# The same where blocks are recorded: 48 bytes.
inlined_record:
        movabs  rdx, WIDE                       # the counter
        cmp     dword ptr [rbp + CONSTANT], 0   # FLAG
        jl      .Lrecord_slow
        sub     qword ptr [rdx], CONSTANT       # LEFT, less LENGTH
        jb      .Lrecord_slow
        mov     rax, [rdx + AT]
        mov     dword ptr [rax], CONSTANT       # the record
        add     qword ptr [rdx + AT], RECORD_SIZE
        jmp     .Lrecord_on                     # to where it goes on
.Lrecord_slow:
        call    qword ptr [rdx + SLOW]
.Lrecord_on:

# leave_recorded: as leave_block, from inlined_record.
#
#   in        rdx = counter, the return address
leave_recorded:
        mov     rcx, [rsp]
        mov     ecx, [rcx + BACK_RECORD]
        shl     rcx, SLOT_SHIFT
        add     rcx, [rdx + FIRST]

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
