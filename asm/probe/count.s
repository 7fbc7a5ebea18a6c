# The instruction counter: machine code for the host, called by Unicorn before
# every block of guest code.
#
#     a counter in host memory                 a slot of the table
#     0   COUNT   instructions so far          0   block: address ^ size << 48
#     8   LIMIT   COUNT stays at most this     8   its instructions
#     16  BLOCK   address of the last block
#     24  STOP    address of uc_emu_stop       The table is open addressing; an
#     32  TABLE   address of the slots         empty slot has block 0. At least
#     40  MASK    number of slots, less 1      half of the slots are empty.
#     48  MISSES  blocks not in the table
#     56  SPENT   1 once the limit has stopped the engine
#     64  BEFORE  COUNT without the last block

        .intel_syntax noprefix

        .equ COUNT,         0
        .equ LIMIT,         8
        .equ BLOCK,         16
        .equ STOP,          24
        .equ TABLE,         32
        .equ MASK,          40
        .equ MISSES,        48
        .equ SPENT,         56
        .equ BEFORE,        64
        .equ SLOT_COUNT,    8
        .equ GOLDEN,        0x9e3779b97f4a7c15  # 2^64 / phi: spreads the keys

        .text

# void count_block(uc_engine *uc, uint64_t address, uint32_t size, void *counter)
#
#   in        rdi = engine
#             rsi = address of the block
#             edx = its bytes
#             rcx = counter
#   clobbers  rax, rdx, r8, r9, r10, r11
#
# Adds the block's instructions, or stops the engine before the block where that
# would pass the limit.
count_block:
        mov     eax, edx
        shl     rax, 48
        xor     rax, rsi                        # what the table knows it by
        mov     r8, GOLDEN
        imul    r8, rax
        shr     r8, 32
        mov     r9, [rcx + TABLE]
.Lcount_look:
        and     r8, [rcx + MASK]
        mov     r10, r8
        shl     r10, 4                          # 16 bytes a slot
        mov     r11, [r9 + r10]
        cmp     r11, rax
        je      .Lcount_found
        test    r11, r11
        jz      .Lcount_missed
        inc     r8
        jmp     .Lcount_look
.Lcount_found:
        mov     rax, [rcx + COUNT]
        mov     rdx, [r9 + r10 + SLOT_COUNT]
        add     rdx, rax
        cmp     rdx, [rcx + LIMIT]
        ja      .Lcount_spent
        mov     [rcx + BEFORE], rax
        mov     [rcx + COUNT], rdx
        mov     [rcx + BLOCK], rsi
        ret
.Lcount_missed:
        inc     qword ptr [rcx + MISSES]
        ret
.Lcount_spent:
        mov     qword ptr [rcx + SPENT], 1
        jmp     qword ptr [rcx + STOP]
