# The instruction counter: machine code for the host, called by Unicorn before
# every block of guest code.
#
#     a counter in host memory                 a slot of the table
#     0   COUNT   instructions so far          0   KEY: address ^ size << 48
#     8   LIMIT   COUNT stays at most this     8   LENGTH: its instructions
#     16  LAST    slot of the last block
#     24  STOP    address of uc_emu_stop       The table is open addressing, by
#     32  TABLE   address of the slots         the low bits of the address; an
#     40  MASK    number of slots, less 1      empty slot has KEY 0. At least
#     48  MISSES  blocks not in the table      half of the slots are empty.
#     56  SPENT   1 once the limit has stopped the engine

        .intel_syntax noprefix

        .equ COUNT,         0
        .equ LIMIT,         8
        .equ LAST,          16
        .equ STOP,          24
        .equ TABLE,         32
        .equ MASK,          40
        .equ MISSES,        48
        .equ SPENT,         56
        .equ KEY,           0
        .equ LENGTH,        8
        .equ SLOT_SIZE,     16

        .text

# void count_block(uc_engine *uc, uint64_t address, uint32_t size, void *counter)
#
#   in        rdi = engine
#             rsi = address of the block
#             edx = its bytes
#             rcx = counter
#   clobbers  rax, rdx, r8, r9
#
# Adds the block's instructions, or stops the engine before the block where that
# would pass the limit. Nearly every block is found at the first look.
count_block:
        shl     rdx, 48
        xor     rdx, rsi                        # what the table knows it by
        mov     eax, esi
        and     eax, [rcx + MASK]
        shl     rax, 4
        add     rax, [rcx + TABLE]
        cmp     [rax + KEY], rdx
        jne     .Lcount_look
.Lcount_found:
        mov     r8, [rax + LENGTH]
        add     r8, [rcx + COUNT]
        cmp     r8, [rcx + LIMIT]
        ja      .Lcount_spent
        mov     [rcx + COUNT], r8
        mov     [rcx + LAST], rax
        ret

.Lcount_look:
        mov     r9, [rcx + MASK]
        inc     r9
        shl     r9, 4
        add     r9, [rcx + TABLE]               # the end of the table
.Lcount_next:
        cmp     qword ptr [rax + KEY], 0
        je      .Lcount_missed
        add     rax, SLOT_SIZE
        cmp     rax, r9
        jne     .Lcount_compare
        mov     rax, [rcx + TABLE]
.Lcount_compare:
        cmp     [rax + KEY], rdx
        je      .Lcount_found
        jmp     .Lcount_next

.Lcount_missed:
        inc     qword ptr [rcx + MISSES]
        ret
.Lcount_spent:
        mov     qword ptr [rcx + SPENT], 1
        jmp     qword ptr [rcx + STOP]
