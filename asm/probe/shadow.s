# The sanitizer's look at an access: machine code for the host, called by Unicorn
# after every read and before every write of guest memory.
#
#     a header in host memory                  two bits for a byte of the guest
#     0   PAGES    address of the table of     00  UNADDRESSABLE  no payload
#                  pages: 32 bits a page       01  UNWRITTEN      a payload's
#     8   END      pages that it has           10  FOREIGN        not the heap's
#     16  STATES   address of the states       11  WRITTEN        a payload's
#     24  SPARE    number of a page of states  The lowest bits are the lowest byte's.
#                  that is free
#     32  INSIDE   1 while the allocator runs
#     40  RETURN   a place on the stack: who reads there leaves the allocator
#     48  TELL     address of what is called where there is something to tell
#     56  PC       address of the guest's rip
#     64  SCANNERS address of a table of instructions that read strings
#     72  WINDOW   guest memory from this address on ...
#     80  HOST     ... is there in the host's
#     88  STACK, 96 STACK_HOST: the same of the stack
#     104 REGISTERS, the guest's: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi
#     112 ENTERED  address of what is called where a function is entered (entry.s)
#     120 READERS  address of a table of functions that read strings or memory
#     128 JUDGED_AT of the last one that was judged: where its return address is,
#     136 JUDGED_BACK, what that is, and
#     144 JUDGED   its own address; 0 where it was not looked at what it reads
#
# An entry of the table is 0 where nobody watches the page; 1 to 4 where all of its
# bytes are in one state, which is the entry less 1; else FIRST or more: the number
# of the page's states. A page of states begins, while it is free, with how far the
# next free one is from the one behind it: in memory that nobody has used, that is 0.
#
# A program may read what is written, or foreign, and write what is not unaddressable;
# what it writes is written then. The allocator may touch all but payloads. For
# anything else, and for an access across two pages, TELL is called in this one's place.
#
# An instruction of the table reads strings some bytes at a time, and so beyond their
# end. It may read what is unwritten, and what is unaddressable behind readable bytes
# with a 0 among the last of them.

        .intel_syntax noprefix

        .equ PAGES,         0
        .equ END,           8
        .equ STATES,        16
        .equ SPARE,         24
        .equ INSIDE,        32
        .equ RETURN,        40
        .equ TELL,          48
        .equ PC,            56
        .equ SCANNERS,      64
        .equ WINDOW,        72
        .equ HOST,          80
        .equ STACK,         88
        .equ STACK_HOST,    96
        .equ REGISTERS,     104
        .equ ENTERED,       112
        .equ READERS,       120
        .equ JUDGED_AT,     128
        .equ JUDGED_BACK,   136
        .equ JUDGED,        144
        .equ HEADER_SIZE,   152

        .equ UNADDRESSABLE, 0
        .equ UNWRITTEN,     1
        .equ FOREIGN,       2
        .equ WRITTEN,       3

        .equ NEXT_ENTRY,    4                   # from a page's entry on
        .equ FIRST,         8                   # pages of states, from this number on
        .equ PAGE,          4096
        .equ IN_PAGE,       4095
        .equ STATES_SHIFT,  10                  # bytes of a page's states: 1024
        .equ STATES_WORDS,  128
        .equ WIDEST,        8
        .equ SCANNER_MASK,  1023                # of rip: where in the table it may be
        .equ READER_MASK,   1023                # of a function's address: the same
        .equ READER_SHIFT,  4
        .equ STRING_1,      1                   # the string at the first argument
        .equ STRING_2,      2                   # ... at the second
        .equ RANGE_1,       4                   # so many bytes, as the third has it
        .equ RANGE_2,       8
        .equ FIRST_ARGUMENT,  5                 # STRING_1 and RANGE_1
        .equ SECOND_ARGUMENT, 10
        .equ COPIES,        16                  # it may read what is unwritten
        .equ FRAME,         1024                # bytes of the stack that a reader may take
        .equ MOST,          0x4000000           # bytes of a range that are looked at
        .equ GUEST_RDX,     16
        .equ GUEST_RSP,     32
        .equ GUEST_RSI,     48
        .equ GUEST_RDI,     56
        .equ BACK,          64                  # bytes that are looked at for a 0
        .equ WRITE,         17                  # Unicorn's UC_MEM_WRITE
        .equ LOW,           0x55555555          # the low bit of each pair
        .equ HIGH,          0xaaaaaaaa

        .text

# void watch_access(uc_engine *uc, int kind, uint64_t address, int size,
#                   int64_t value, void *header)
#
#   in        esi = kind, rdx = address, ecx = size, r9 = header
#   clobbers  rax, rcx, r8, r10, r11
watch_access:
        cmp     rdx, [r9 + RETURN]
        je      .Lshadow_tell
        mov     rax, rdx
        shr     rax, 12
        cmp     rax, [r9 + END]
        jae     .Lshadow_done                   # a frame: beyond what a process may map
        shl     rax, 2
        add     rax, [r9 + PAGES]
        mov     r11, rax                        # the page's entry
        mov     eax, [rax]
        mov     r10d, edx
        and     r10d, IN_PAGE
        lea     r8d, [r10 + rcx]
        cmp     r8d, PAGE
        ja      .Lshadow_across
        test    eax, eax
        jz      .Lshadow_done

        cmp     ecx, WIDEST
        ja      .Lshadow_tell
        mov     r8d, ecx                        # size, to be kept for TELL
        cmp     eax, FIRST
        jb      .Lshadow_uniform

.Lshadow_look:
        shl     rax, STATES_SHIFT
        add     rax, [r9 + STATES]
        shr     r10d, 2
        add     r10, rax                        # where the states are
        call    mask_of
        mov     r11d, [r10]
        cmp     qword ptr [r9 + INSIDE], 0
        jne     .Lshadow_inside
        cmp     esi, WRITE
        je      .Lshadow_write

        not     r11d                            # a read: all high bits must be 1
        and     r11d, eax
        test    r11d, HIGH
        jnz     .Lshadow_scanner
.Lshadow_done:
        ret

.Lshadow_write:
        mov     ecx, r11d
        not     ecx
        and     ecx, eax
        and     ecx, HIGH
        jz      .Lshadow_done                   # written before
        shr     ecx, 1                          # the low bits where the high ones are 0
        not     r11d
        test    ecx, r11d
        jnz     .Lshadow_tell_size              # both are 0 somewhere
        add     ecx, ecx
        or      [r10], ecx
        ret

.Lshadow_inside:
        and     r11d, eax
        test    r11d, LOW
        jz      .Lshadow_done
.Lshadow_tell_size:
        mov     ecx, r8d
.Lshadow_tell:
        jmp     qword ptr [r9 + TELL]

# Across two pages; eax = the entry of the first, which is at r11.
.Lshadow_across:
        or      eax, [r11 + NEXT_ENTRY]
        jnz     .Lshadow_tell
        ret

# A read of something that is unaddressable or unwritten; eax = mask, and r10 is where
# the states are.
.Lshadow_scanner:
        mov     rcx, [r9 + PC]
        mov     rcx, [rcx]
        mov     r11d, ecx
        and     r11d, SCANNER_MASK
        shl     r11d, 3
        add     r11, [r9 + SCANNERS]
        cmp     rcx, [r11]
        jne     .Lshadow_tell_size
        mov     r11d, [r10]
        mov     ecx, r11d
        shr     ecx, 1
        or      ecx, r11d
        not     ecx
        and     ecx, eax
        test    ecx, LOW
        jz      .Lshadow_done                   # all of it is a payload's, or foreign

        mov     rcx, rdx
        sub     rcx, [r9 + WINDOW]
        mov     r11, rcx
        shr     r11, 32
        jnz     .Lshadow_tell_size
        add     rcx, [r9 + HOST]                # the guest's bytes
        push    rbp
        push    rbx
        push    rdi
        push    rsi
        mov     rsi, rcx
        mov     edi, edx
        and     edi, IN_PAGE
        mov     eax, edi
        shr     eax, 2
        sub     r10, rax                        # the states of the page
        sub     rsi, rdi                        # its bytes
        xor     ebp, ebp                        # 1 once something was readable
        mov     ebx, edi
        sub     ebx, BACK                       # no further than there
        jns     .Lshadow_from
        xor     ebx, ebx
.Lshadow_from:
        add     edi, r8d                        # from the end of the access
.Lshadow_back:
        dec     edi
        cmp     edi, ebx
        jl      .Lshadow_no_end
        mov     eax, edi
        shr     eax, 2
        movzx   eax, byte ptr [r10 + rax]
        mov     ecx, edi
        and     ecx, 3
        add     ecx, ecx
        shr     eax, cl
        test    eax, WRITTEN
        jnz     .Lshadow_readable
        test    ebp, ebp
        jz      .Lshadow_back                   # still behind the block
        jmp     .Lshadow_no_end
.Lshadow_readable:
        mov     ebp, 1
        cmp     byte ptr [rsi + rdi], 0
        jne     .Lshadow_back
        pop     rsi
        pop     rdi
        pop     rbx
        pop     rbp
        ret

.Lshadow_no_end:
        pop     rsi
        pop     rdi
        pop     rbx
        pop     rbp
        jmp     .Lshadow_tell_size

# All bytes of the page are in state eax - 1; its entry is at r11.
.Lshadow_uniform:
        dec     eax
        cmp     qword ptr [r9 + INSIDE], 0
        jne     .Lshadow_uniform_inside
        cmp     esi, WRITE
        je      .Lshadow_uniform_write
        cmp     eax, FOREIGN
        jae     .Lshadow_done
        jmp     .Lshadow_tell
.Lshadow_uniform_inside:
        test    eax, 1
        jz      .Lshadow_done
        jmp     .Lshadow_tell
.Lshadow_uniform_write:
        cmp     eax, UNWRITTEN
        ja      .Lshadow_done
        jb      .Lshadow_tell

# The first write to a page of a new payload: it gets states of its own.
        push    rdi
        push    rcx
        mov     rax, [r9 + SPARE]
        mov     [r11], eax
        mov     rdi, rax
        shl     rdi, STATES_SHIFT
        add     rdi, [r9 + STATES]
        movsxd  rcx, dword ptr [rdi]
        lea     rcx, [rax + rcx + 1]
        mov     [r9 + SPARE], rcx
        mov     r11, rax
        mov     rax, 0x5555555555555555         # UNWRITTEN
        mov     ecx, STATES_WORDS
        rep     stosq
        mov     rax, r11
        pop     rcx
        pop     rdi
        jmp     .Lshadow_look

# mask_of: the pairs of an access, from the states of the aligned four bytes on in
# which it begins.
#
#   in        edx = address, ecx = size, 1 to 8
#   out       eax = mask
#   clobbers  rcx
mask_of:
        mov     eax, -1
        add     ecx, ecx
        shl     eax, cl
        not     eax
        mov     ecx, edx
        and     ecx, 3
        add     ecx, ecx
        shl     eax, cl
        ret

        .include "entry.s"
