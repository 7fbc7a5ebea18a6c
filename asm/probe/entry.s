# The sanitizer's look at a function for strings or memory: machine code for the host, part
# of shadow.s, called by Unicorn where one is entered.
#
#     a reader in the table of READERS
#     0   ENTRY    its address, a function's first instruction
#     8   SHAPE    what it reads, at most: of STRING_1 to RANGE_2; and COPIES
#
# What reads no more than it may is let pass. Anything else, and anything that cannot be
# known here, is told at ENTERED, which is called in this one's place.

        .equ ENTRY,         0
        .equ SHAPE,         8

# void watch_entry(uc_engine *uc, uint64_t address, uint32_t size, void *header)
#
#   in        rsi = address, rcx = header
#   clobbers  rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
watch_entry:
        mov     eax, esi
        and     eax, READER_MASK
        shl     eax, READER_SHIFT
        add     rax, [rcx + READERS]
        cmp     rsi, [rax + ENTRY]
        jne     .Lentry_unknown
        cmp     qword ptr [rcx + INSIDE], 0
        jne     .Lentry_unknown

        push    rbx
        push    rbp
        push    rdi
        push    rsi
        push    rdx
        push    rcx
        mov     r9, rcx
        mov     ebp, [rax + SHAPE]
        mov     rbx, [r9 + REGISTERS]           # the guest's

        test    ebp, FIRST_ARGUMENT
        jz      .Lentry_second
        mov     rax, [rbx + GUEST_RDI]
        call    entry_of
        test    eax, eax
        jnz     .Lentry_watched
.Lentry_second:
        test    ebp, SECOND_ARGUMENT
        jz      .Lentry_pass
        mov     rax, [rbx + GUEST_RSI]
        call    entry_of
        test    eax, eax
        jz      .Lentry_pass

# Within another that was judged, and not the same once more, it reads what that one may.
.Lentry_watched:
        mov     rdi, [rbx + GUEST_RSP]
        mov     rax, [r9 + JUDGED_AT]
        mov     rdx, rax
        sub     rdx, rdi
        cmp     rdx, FRAME
        ja      .Lentry_judge
        call    word_at
        jc      .Lentry_tell
        cmp     rax, [r9 + JUDGED_BACK]
        jne     .Lentry_judge
        cmp     rdi, [r9 + JUDGED_AT]
        jne     .Lentry_pass
        cmp     rsi, [r9 + JUDGED]
        jne     .Lentry_pass

.Lentry_judge:
        test    ebp, STRING_1
        jz      .Lentry_string_2
        mov     rdi, [rbx + GUEST_RDI]
        call    string_is_readable
        jc      .Lentry_tell
.Lentry_string_2:
        test    ebp, STRING_2
        jz      .Lentry_range_1
        mov     rdi, [rbx + GUEST_RSI]
        call    string_is_readable
        jc      .Lentry_tell
.Lentry_range_1:
        test    ebp, RANGE_1
        jz      .Lentry_range_2
        mov     rdi, [rbx + GUEST_RDI]
        call    range_is_readable
        jc      .Lentry_tell
.Lentry_range_2:
        test    ebp, RANGE_2
        jz      .Lentry_judged
        mov     rdi, [rbx + GUEST_RSI]
        call    range_is_readable
        jc      .Lentry_tell

.Lentry_judged:
        mov     rdi, [rbx + GUEST_RSP]
        mov     rax, rdi
        call    word_at
        jc      .Lentry_tell
        mov     [r9 + JUDGED_AT], rdi
        mov     [r9 + JUDGED_BACK], rax
        mov     rax, [rsp + 16]                 # the address
        mov     [r9 + JUDGED], rax
.Lentry_pass:
        add     rsp, 32
        pop     rbp
        pop     rbx
        ret

.Lentry_tell:
        pop     rcx
        pop     rdx
        pop     rsi
        pop     rdi
        pop     rbp
        pop     rbx
.Lentry_unknown:
        jmp     qword ptr [rcx + ENTERED]

# entry_of: what the table of pages has of the page of an address.
#
#   in        rax = address, r9 = header
#   out       eax = entry, 0 for what nobody watches
entry_of:
        shr     rax, 12
        cmp     rax, [r9 + END]
        jae     .Lentry_none
        shl     rax, 2
        add     rax, [r9 + PAGES]
        mov     eax, [rax]
        ret
.Lentry_none:
        xor     eax, eax
        ret

# word_at: a word of the stack.
#
#   in        rax = address, r9 = header
#   out       rax = the word; carry: it is none of the stack that is seen
#   clobbers  rcx
word_at:
        sub     rax, [r9 + STACK]
        mov     rcx, rax
        shr     rcx, 32
        jnz     .Lentry_not_seen
        add     rax, [r9 + STACK_HOST]
        mov     rax, [rax]
        clc
        ret
.Lentry_not_seen:
        stc
        ret

# string_is_readable: whether all of a string is written, or foreign, up to its 0; or
# nobody watches where it begins.
#
#   in        rdi = address, r9 = header
#   out       carry: no, or it cannot be seen
#   clobbers  rax, rcx, rdx, rdi, r8, r10
string_is_readable:
        mov     rax, rdi
        call    entry_of
        test    eax, eax
        jz      .Lentry_readable
.Lentry_page:
        mov     r8, rdi
        sub     r8, [r9 + WINDOW]
        mov     rdx, r8
        shr     rdx, 32
        jnz     .Lentry_unreadable
        add     r8, [r9 + HOST]                 # the guest's bytes
        cmp     eax, FIRST
        jb      .Lentry_uniform
        shl     rax, STATES_SHIFT
        add     rax, [r9 + STATES]
        mov     r10, rax
.Lentry_byte:
        mov     edx, edi
        and     edx, IN_PAGE
        shr     edx, 2
        movzx   eax, byte ptr [r10 + rdx]
        mov     ecx, edi
        and     ecx, 3
        add     ecx, ecx
        shr     eax, cl
        test    eax, FOREIGN                    # the high bit: of WRITTEN, too
        jz      .Lentry_unreadable
        cmp     byte ptr [r8], 0
        je      .Lentry_readable
        inc     r8
        inc     rdi
        test    edi, IN_PAGE
        jnz     .Lentry_byte
.Lentry_next_page:
        mov     rax, rdi
        call    entry_of
        test    eax, eax
        jnz     .Lentry_page
.Lentry_unreadable:
        stc
        ret

.Lentry_uniform:
        dec     eax
        test    eax, FOREIGN
        jz      .Lentry_unreadable
.Lentry_uniform_byte:
        cmp     byte ptr [r8], 0
        je      .Lentry_readable
        inc     r8
        inc     rdi
        test    edi, IN_PAGE
        jnz     .Lentry_uniform_byte
        jmp     .Lentry_next_page

.Lentry_readable:
        clc
        ret

# range_is_readable: whether all bytes of a range are written, or foreign; where COPIES is
# of the shape, they may be unwritten. Or nobody watches where it begins.
#
#   in        rdi = address, rbx = the guest's registers, ebp = shape, r9 = header
#   out       carry: no, or there are too many
#   clobbers  rax, rcx, rdx, rsi, rdi, r8, r10, r11
range_is_readable:
        mov     r11, [rbx + GUEST_RDX]          # bytes that are left
        cmp     r11, MOST
        ja      .Lentry_unreadable
        test    r11, r11
        jz      .Lentry_readable
        mov     rax, rdi
        call    entry_of
        test    eax, eax
        jz      .Lentry_readable
.Lentry_range_page:
        cmp     eax, FIRST
        jb      .Lentry_range_uniform
        shl     rax, STATES_SHIFT
        add     rax, [r9 + STATES]
        mov     r10, rax
.Lentry_range_step:
        mov     eax, edi
        and     eax, IN_PAGE
        mov     esi, eax
        shr     esi, 2
        add     rsi, r10                        # where the states are
        call    step_of
        mov     r8d, ecx
        mov     edx, edi
        call    mask_of
        mov     ecx, [rsi]
        test    ebp, COPIES
        jz      .Lentry_decides
        mov     edx, ecx
        add     edx, edx
        or      ecx, edx                        # a low bit will do
.Lentry_decides:
        not     ecx
        and     ecx, eax
        test    ecx, HIGH
        jnz     .Lentry_unreadable
        add     rdi, r8
        sub     r11, r8
        jz      .Lentry_readable
        test    edi, IN_PAGE
        jnz     .Lentry_range_step
.Lentry_range_next:
        mov     rax, rdi
        call    entry_of
        jmp     .Lentry_range_page

# All of the page is in one state, or nobody watches it.
.Lentry_range_uniform:
        test    eax, eax
        jz      .Lentry_range_skip
        dec     eax
        test    eax, FOREIGN
        jnz     .Lentry_range_skip
        test    ebp, COPIES
        jz      .Lentry_unreadable
        test    eax, eax
        jz      .Lentry_unreadable
.Lentry_range_skip:
        mov     eax, PAGE
        mov     ecx, edi
        and     ecx, IN_PAGE
        sub     eax, ecx                        # bytes up to the page's end
        cmp     r11, rax
        jbe     .Lentry_readable
        add     rdi, rax
        sub     r11, rax
        jmp     .Lentry_range_next

# step_of: how many bytes are looked at together: WIDEST, or what is left, or the page has.
#
#   in        eax = address in its page, r11 = bytes that are left
#   out       ecx = bytes
#   clobbers  rax
step_of:
        neg     eax
        add     eax, PAGE
        mov     ecx, WIDEST
        cmp     ecx, eax
        cmova   ecx, eax
        cmp     r11, rcx
        cmovb   ecx, r11d
        ret
