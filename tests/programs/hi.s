# Says hi, asks for a page to read, and writes to it.
        .intel_syntax noprefix
        .globl _start
_start: mov eax, 1                      # write(1, text, 3)
        mov edi, 1
        lea rsi, [rip + text]
        mov edx, 3
        syscall
        xor edi, edi                    # mmap(0, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)
        mov esi, 4096
        mov edx, 1
        mov r10d, 0x22
        mov r8, -1
        xor r9d, r9d
        mov eax, 9
        syscall
store:  mov qword ptr [rax + 8], 5      # the page is there to be read
        mov eax, 60
        syscall
        .data
text:   .ascii "hi\n"
