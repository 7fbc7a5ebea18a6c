# Plays a list of calls inside the process, and notes after each call what it
# answered and what the heap is like: thousands of calls for the price of one.
#
# It is assembled behind an allocator and knows its heap_head, its os_errno and
# its sys_brk, and that all of its data, from `remembered` on, is 0 at first.
#
#     a call, 32 bytes     kind u32, slot u32, first u64, second u64, unused
#     a slot, 24 bytes     payload, bytes asked for, payload given back last
#     a note, 16 bytes     the result; a digest of all that can be seen

        .equ KIND,          0
        .equ SLOT,          4
        .equ FIRST,         8
        .equ SECOND,        16
        .equ CALL_BYTES,    32

        .equ PAYLOAD,       0
        .equ ASKED,         8
        .equ STALE,         16

        .equ NOTE_RESULT,   0
        .equ NOTE_DIGEST,   8
        .equ NOTE_BYTES,    16

        .equ MALLOC,        0           # first bytes
        .equ CALLOC,        1           # first times second bytes
        .equ REALLOC,       2           # the slot's block to first bytes
        .equ GIVE_BACK,     3           # the slot's block
        .equ FREE_AGAIN,    4           # what the slot had, if that is FREE now
        .equ RESIZE_FREED,  5           # the same, to first bytes

        .equ BEGIN_AGAIN,   6           # gives all back, of first slots

        .equ SLOT_BYTES,    24
        .equ TO_LAST,       -8          # from a block's end to its last word
        .equ MIX,           0x2545f491  # odd

# fold value: into the digest, in r14
        .macro  fold value
        add     r14, \value
        imul    r14, r14, MIX
        rol     r14, 29
        .endm

        .data
        .p2align 3
remembered_end: .quad 0

        .text
        .globl  play
# play(calls, count, slots, notes, every)
#
#   in        rdi, rsi, rdx, rcx
#             r8 = after every so many-th call the blocks are looked at
play:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 24
        mov     [rsp], r8
        mov     qword ptr [rsp + 8], 0          # calls since the last look
        mov     rbx, rdi
        mov     rbp, rsi
        mov     r12, rdx
        mov     r13, rcx
        xor     r14d, r14d
.Lplay_next:
        test    rbp, rbp
        jz      .Lplay_done
        mov     eax, [rbx + SLOT]
        lea     rax, [rax + rax*2]
        lea     r15, [r12 + rax*8]              # the slot
        call    one
        mov     [r13 + NOTE_RESULT], rax
        movsxd  rax, dword ptr [rip + os_errno]
        fold    rax
        inc     qword ptr [rsp + 8]
        mov     rax, [rsp + 8]
        cmp     rax, [rsp]
        jb      .Lplay_looked
        mov     qword ptr [rsp + 8], 0
        call    look
.Lplay_looked:
        mov     [r13 + NOTE_DIGEST], r14
        add     rbx, CALL_BYTES
        add     r13, NOTE_BYTES
        dec     rbp
        jmp     .Lplay_next
.Lplay_done:
        add     rsp, 24
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

# look(): every header of the heap into the digest
look:
        mov     rcx, [rip + heap_head]
.Llook_at_block:
        test    rcx, rcx
        jz      .Llook_done
        fold    rcx
        mov     rax, [rcx + BLOCK_SIZE]
        fold    rax
        movsxd  rax, dword ptr [rcx + BLOCK_STATUS]
        fold    rax
        mov     rax, [rcx + BLOCK_PREV]
        fold    rax
        mov     rcx, [rcx + BLOCK_NEXT]
        jmp     .Llook_at_block
.Llook_done:
        fold    rcx
        ret

# one(): the call at rbx; rax = its result
one:
        mov     eax, [rbx + KIND]
        mov     rsi, [rbx + FIRST]
        cmp     eax, MALLOC
        je      .Lone_malloc
        cmp     eax, CALLOC
        je      .Lone_calloc
        cmp     eax, REALLOC
        je      .Lone_realloc
        cmp     eax, GIVE_BACK
        je      .Lone_free
        cmp     eax, BEGIN_AGAIN
        je      begin_again
        jmp     .Lone_misuse

.Lone_malloc:
        mov     rdi, rsi
        call    os_malloc
        jmp     .Lone_given

.Lone_calloc:
        mov     rdi, rsi
        mov     rsi, [rbx + SECOND]
        call    os_calloc
        test    rax, rax
        jz      .Lone_given
        mov     rcx, [rbx + FIRST]
        imul    rcx, [rbx + SECOND]             # it did not overflow
        call    all_zero
.Lone_given:
        mov     [r15 + PAYLOAD], rax
        mov     rcx, [rbx + FIRST]
        cmp     dword ptr [rbx + KIND], CALLOC
        jne     .Lone_asked
        imul    rcx, [rbx + SECOND]
.Lone_asked:
        mov     [r15 + ASKED], rcx
        jmp     write_ends

.Lone_realloc:
        mov     rdi, [r15 + PAYLOAD]
        call    os_realloc
        mov     rcx, [r15 + PAYLOAD]
        mov     rdx, [rbx + FIRST]
        test    rax, rax
        jz      .Lone_refused
        cmp     rax, rcx
        je      .Lone_stays
        mov     [r15 + STALE], rcx
.Lone_stays:
        test    rcx, rcx
        jz      .Lone_carried
        cmp     qword ptr [r15 + ASKED], 8      # its first word came along
        jb      .Lone_carried
        cmp     rdx, 8
        jb      .Lone_carried
        mov     rcx, [rax]
        fold    rcx
.Lone_carried:
        mov     [r15 + PAYLOAD], rax
        mov     [r15 + ASKED], rdx
        jmp     write_ends
.Lone_refused:
        test    rdx, rdx
        jnz     .Lone_kept                      # it keeps its block
        mov     [r15 + STALE], rcx
        mov     [r15 + PAYLOAD], rax
.Lone_kept:
        ret

.Lone_free:
        mov     rdi, [r15 + PAYLOAD]
        mov     [r15 + STALE], rdi
        mov     qword ptr [r15 + PAYLOAD], 0
        call    os_free
        xor     eax, eax
        ret

.Lone_misuse:
        mov     rdi, [r15 + STALE]
        lea     rdx, [rdi + TO_HEADER]
        mov     rcx, [rip + heap_head]
.Lone_is_it_free:
        test    rcx, rcx
        jz      .Lone_no_misuse                 # it is no block any more
        cmp     rcx, rdx
        je      .Lone_found
        mov     rcx, [rcx + BLOCK_NEXT]
        jmp     .Lone_is_it_free
.Lone_found:
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lone_no_misuse                 # it is somebody else's
        cmp     dword ptr [rbx + KIND], FREE_AGAIN
        jne     os_realloc
        call    os_free
.Lone_no_misuse:
        xor     eax, eax
        ret

# all_zero(): rax = a block, rcx = its bytes; what is not 0 changes the digest
all_zero:
        mov     rdx, rax
        xor     edi, edi
.Lzero_byte:
        test    rcx, rcx
        jz      .Lzero_done
        movzx   esi, byte ptr [rdx]
        or      edi, esi
        inc     rdx
        dec     rcx
        jmp     .Lzero_byte
.Lzero_done:
        fold    rdi
        ret

# write_ends(): the program writes the first and the last word of its new block,
# at rax; rax is kept
write_ends:
        test    rax, rax
        jz      .Lwrite_done
        mov     rcx, [r15 + ASKED]
        cmp     rcx, 8
        jb      .Lwrite_done
        mov     [rax], r14
        mov     rdx, rax
        add     rdx, rcx
        mov     [rdx + TO_LAST], rbx
.Lwrite_done:
        ret

# begin_again(): as if the process had just begun; rsi = how many slots there are
begin_again:
        push    rsi
        mov     r15, r12
.Lagain_slot:
        mov     rdi, [r15 + PAYLOAD]
        call    os_free                         # its mapping, if it has one
        mov     qword ptr [r15 + PAYLOAD], 0
        mov     qword ptr [r15 + STALE], 0
        add     r15, SLOT_BYTES
        dec     qword ptr [rsp]
        jnz     .Lagain_slot
        pop     rsi
        mov     rdi, [rip + heap_head]
        test    rdi, rdi
        jz      .Lagain_forget
        call    sys_brk                         # the kernel takes the heap back
.Lagain_forget:
        lea     rdi, [rip + remembered]
        lea     rcx, [rip + remembered_end]
        sub     rcx, rdi
        shr     rcx, 3
        xor     eax, eax
        rep stosq
        xor     r14d, r14d                      # and a digest of its own
        ret
