# The alignment check: machine code for the host, called by Unicorn before an
# instruction whose memory operand of 16 bytes must be aligned. Unicorn itself
# would not mind.
#
#     a check in host memory                   a slot of the table
#     0   BROKEN  1 once an access was odd     0   ADDRESS  of the instruction
#     8   STOP    address of uc_emu_stop       8   DISPLACEMENT
#     16  READ    address of uc_reg_read       16  BASE     a register's number
#     24  TABLE   address of the slots         24  INDEX    a register's number
#     32  MASK    number of slots, less 1      32  SHIFT    of the index
#     40  VALUE   room for a register          40  SEGMENT  a register's number
#
# A register's number is Unicorn's; 0 stands for none. The table is open
# addressing; an empty slot has ADDRESS 0. At least half of the slots are empty.

        .intel_syntax noprefix

        .equ BROKEN,        0
        .equ STOP,          8
        .equ READ,          16
        .equ TABLE,         24
        .equ MASK,          32
        .equ VALUE,         40
        .equ ADDRESS,       0
        .equ DISPLACEMENT,  8
        .equ BASE,          16
        .equ INDEX,         24
        .equ SHIFT,         32
        .equ SEGMENT,       40
        .equ SLOT_SIZE,     48

        .text

# void check_alignment(uc_engine *uc, uint64_t address, uint32_t size, void *check)
#
#   in        rdi = engine
#             rsi = address of the instruction
#             rcx = check
#   clobbers  rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
#
# Stops the engine before the instruction if its operand is not aligned.
check_alignment:
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15                             # the stack is aligned again
        mov     rbx, rcx
        mov     r12, rdi
        mov     rax, rsi
.Lalign_look:
        and     rax, [rbx + MASK]
        imul    r13, rax, SLOT_SIZE
        add     r13, [rbx + TABLE]
        mov     r8, [r13 + ADDRESS]
        cmp     r8, rsi
        je      .Lalign_found
        inc     rax
        test    r8, r8
        jnz     .Lalign_look
        jmp     .Lalign_done                    # not one of those that mind

.Lalign_found:
        mov     r14, [r13 + DISPLACEMENT]
        mov     rsi, [r13 + BASE]
        call    register_value
        add     r14, rax
        mov     rsi, [r13 + SEGMENT]
        call    register_value
        add     r14, rax
        mov     rsi, [r13 + INDEX]
        call    register_value
        mov     rcx, [r13 + SHIFT]
        shl     rax, cl
        add     r14, rax
        test    r14, 15
        jz      .Lalign_done
        mov     qword ptr [rbx + BROKEN], 1
        mov     rdi, r12
        call    qword ptr [rbx + STOP]
.Lalign_done:
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        ret

# register_value(number)
#
#   in        rsi = a register's number, or 0
#             rbx = check, r12 = engine
#   out       rax = its value; 0 for none
#   clobbers  rcx, rdx, rsi, rdi, r8, r9, r10, r11
register_value:
        xor     eax, eax
        test    rsi, rsi
        jz      .Lregister_none
        sub     rsp, 8                          # calls find the stack aligned
        mov     rdi, r12
        lea     rdx, [rbx + VALUE]
        call    qword ptr [rbx + READ]
        mov     rax, [rbx + VALUE]
        add     rsp, 8
.Lregister_none:
        ret
