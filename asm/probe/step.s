# The register recorder: machine code for the host, called by Unicorn before every
# instruction of guest code.
#
#     a header in host memory                  a record of an instruction
#     0   AT      where the next record        0    GENERAL rax, rcx, rdx, rbx, rsp, rbp,
#                 goes                                      rsi, rdi, r8 to r15
#     8   MARK    beyond it the ring is        128  PLACE   rip
#                 nearly full                  136  STATUS  rflags
#     16  BLOCKS  address of a word: where     144  ENTRY   low half of BLOCKS
#                 the next record of a
#                 block goes (count.s)
#     24  END     address of a word: 0 there
#                 stops before the next block
#     32  STATE   address of the guest's rax
#     40  READ    address of uc_reg_read
#     48  NUMBER  Unicorn's, of rflags
#
# A block has fewer instructions than there is room behind MARK. So nothing is ever
# lost. Unicorn keeps the operands of the last arithmetic in the place of the flags:
# it must be asked to work them out.

        .intel_syntax noprefix

        .equ AT,            0
        .equ MARK,          8
        .equ BLOCKS,        16
        .equ END,           24
        .equ STATE,         32
        .equ READ,          40
        .equ NUMBER,        48
        .equ HEADER_SIZE,   56

        .equ GENERAL,       0
        .equ PLACE,         128
        .equ STATUS,        136
        .equ ENTRY,         144
        .equ RECORD_SIZE,   152

        .text

# void record_step(uc_engine *uc, uint64_t address, uint32_t size, void *header)
#
#   in        rdi = engine
#             rsi = address of the instruction
#             rcx = header
#   clobbers  rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, xmm0 to xmm7
record_step:
        push    rbx
        push    r12
        sub     rsp, 8                          # the stack is aligned again
        mov     rbx, rcx
        mov     r12, [rbx + AT]
        mov     rax, [rbx + STATE]
        movups  xmm0, [rax]
        movups  xmm1, [rax + 16]
        movups  xmm2, [rax + 32]
        movups  xmm3, [rax + 48]
        movups  xmm4, [rax + 64]
        movups  xmm5, [rax + 80]
        movups  xmm6, [rax + 96]
        movups  xmm7, [rax + 112]
        movups  [r12], xmm0                     # GENERAL
        movups  [r12 + 16], xmm1
        movups  [r12 + 32], xmm2
        movups  [r12 + 48], xmm3
        movups  [r12 + 64], xmm4
        movups  [r12 + 80], xmm5
        movups  [r12 + 96], xmm6
        movups  [r12 + 112], xmm7
        mov     [r12 + PLACE], rsi
        mov     rax, [rbx + BLOCKS]
        mov     rax, [rax]
        mov     [r12 + ENTRY], eax

        mov     rsi, [rbx + NUMBER]
        lea     rdx, [r12 + STATUS]
        call    qword ptr [rbx + READ]

        add     r12, RECORD_SIZE
        mov     [rbx + AT], r12
        cmp     r12, [rbx + MARK]
        jb      .Lstep_done
        mov     rax, [rbx + END]
        mov     qword ptr [rax], 0              # no block more
.Lstep_done:
        add     rsp, 8
        pop     r12
        pop     rbx
        ret
