# Blocks that live alone in a mapping of their own.

# map_block(size) -> payload
#
#   in        rdi = bytes asked for, 1 to MAX_REQUEST
#   out       rax = payload, or 0
#   clobbers  every register a caller saves
map_block:
        push    rbx
        lea     rbx, [rdi + ALIGN_UP]
        and     rbx, ALIGN_MASK
        lea     rdi, [rbx + META]
        call    sys_map
        cmp     rax, FIRST_ERROR
        jae     .Lmap_refused                   # unsigned: -4095 to -1
        mov     [rax + BLOCK_SIZE], rbx
        mov     dword ptr [rax + BLOCK_STATUS], MAPPED
        add     rax, META                       # the rest of it is 0 already
        pop     rbx
        ret
.Lmap_refused:
        pop     rbx
        jmp     out_of_memory

# unmap_block(block)
#
#   in        rdi = block, MAPPED
#   clobbers  rax, rsi, rcx, r11
unmap_block:
        mov     rsi, [rdi + BLOCK_SIZE]
        add     rsi, META
        jmp     sys_unmap
