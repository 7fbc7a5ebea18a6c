# copy(to, from, bytes)
#
#   in        rdi = to, a multiple of 8, as from is
#             rsi = from
#             rcx = bytes; the two do not overlap
#   clobbers  rcx, rdx, rsi, rdi, xmm0, xmm1, xmm2, xmm3
#   keeps     every other register
#
# 64 bytes at a time, then words, then bytes: `rep movsq` takes long to begin on a
# CPU, and long for each word on the emulated one.
copy:
        sub     rcx, 64
        jb      .Lcopy_less_than_64
.Lcopy_64:
        movups  xmm0, [rsi]
        movups  xmm1, [rsi + 16]
        movups  xmm2, [rsi + 32]
        movups  xmm3, [rsi + 48]
        movups  [rdi], xmm0
        movups  [rdi + 16], xmm1
        movups  [rdi + 32], xmm2
        movups  [rdi + 48], xmm3
        add     rsi, 64
        add     rdi, 64
        sub     rcx, 64
        jae     .Lcopy_64
.Lcopy_less_than_64:
        add     rcx, 56                         # what is left, less 8
        jnc     .Lcopy_less_than_8
.Lcopy_8:
        mov     rdx, [rsi]
        mov     [rdi], rdx
        add     rsi, 8
        add     rdi, 8
        sub     rcx, 8
        jae     .Lcopy_8
.Lcopy_less_than_8:
        and     ecx, 7                          # what is left: 8 more or less
        jz      .Lcopy_done
.Lcopy_1:
        movsb
        dec     ecx
        jnz     .Lcopy_1
.Lcopy_done:
        ret
