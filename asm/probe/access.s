# The access recorder: machine code for the host, called by Unicorn after every
# read and before every write of guest memory.
#
#     a header in host memory                  a record of an access
#     0   AT       where the next record       0   ADDRESS  physical
#                  goes                        8   VALUE    its bytes, low first
#     8   MARK     beyond it the ring is       16  ENTRY    low half of BLOCKS
#                  nearly full                 20  PLACE    low bits of rip
#     16  BLOCKS   address of a word: where    22  SIZE     in bytes
#                  the next record of a        23  KIND     Unicorn's number
#                  block goes (count.s)
#     24  END      address of a word: 0 there
#                  stops before the next block
#     32  PC       address of the guest's rip
#
# A block makes fewer accesses than there is room behind MARK. So nothing is ever
# lost, and no access is stopped half way.

        .intel_syntax noprefix

        .equ AT,            0
        .equ MARK,          8
        .equ BLOCKS,        16
        .equ END,           24
        .equ PC,            32
        .equ HEADER_SIZE,   40

        .equ ADDRESS,       0
        .equ VALUE,         8
        .equ ENTRY,         16
        .equ PLACE,         20
        .equ SIZE,          22
        .equ KIND,          23
        .equ RECORD_SIZE,   24

        .text

# void record_access(uc_engine *uc, int kind, uint64_t address, int size,
#                    int64_t value, void *header)
#
#   in        esi = kind, rdx = address, ecx = size, r8 = value, r9 = header
#   clobbers  rax, rdx
record_access:
        mov     rax, [r9 + AT]
        mov     [rax + ADDRESS], rdx
        mov     [rax + VALUE], r8
        mov     rdx, [r9 + BLOCKS]
        mov     rdx, [rdx]
        mov     [rax + ENTRY], edx
        mov     rdx, [r9 + PC]
        mov     rdx, [rdx]
        mov     [rax + PLACE], dx
        mov     [rax + SIZE], cl
        mov     [rax + KIND], sil
        add     rax, RECORD_SIZE
        mov     [r9 + AT], rax
        cmp     rax, [r9 + MARK]
        jae     .Laccess_full
        mov     eax, 1
        ret

.Laccess_full:
        mov     rdx, [r9 + END]
        mov     qword ptr [rdx], 0              # no block more
        mov     eax, 1
        ret
